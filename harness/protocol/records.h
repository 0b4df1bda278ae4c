// What a suite executable says while it runs: one JSON object a line on the descriptor named by
// $KASSAY_RECORD_FD (without it nothing is written and the suite is an ordinary GoogleTest
// program). The agent carries these lines to the host unread; the host parses them as untrusted
// input.
//
//   {"type":"case_start","case":"Ring.Name"}
//   one assertion that failed:
//   {"type":"failure","case":..,"file":"suites/..","line":12,"message":".."}
//   an observation, the same in every run of one kernel:
//   {"type":"evidence","case":..,"key":"errno","value":"-13"}
//   a measure, which differs from run to run; the value is a whole number of 64 bits or a text, the
//   unit may be left out:
//   {"type":"measure","case":..,"name":"returned after","value":17,"unit":"ms"}
//   the case was left, and why:
//   {"type":"leave","case":..,"verdict":"absent"|"unmet","reason":"..","cause":"trust"}
//   where an unmet case may name its cause for machines; "trust" is the only one.
//   {"type":"case_end","case":..,"passed":true|false}
//   from --kassay_probe:
//   {"type":"feature","feature":"io_uring_bpf_filter","present":true|false,"detail":".."}
//
// `SUITE --kassay_list` prints one JSON object on standard output and runs nothing:
//   {"suite":"io_uring","features":["io_uring_bpf_filter",..],
//    "cases":[{"case":"Ring.Name","requirements":["IOU-001"],"detection":false,"timeout_s":30,
//              "profile":"","expects_panic":"","allows_taint":"","file":"suites/io_uring/ring.cc",
//              "line":12},..]}
#pragma once

#include <cstddef>
#include <string_view>

namespace kassay {

// Bounds that the writer keeps and the reader enforces.
inline constexpr std::size_t kMaxRecordBytes = std::size_t{64} << 10;  // one line
inline constexpr std::size_t kMaxCaseNameBytes = 256;
inline constexpr std::size_t kMaxMeasureNameBytes = 256;  // of its unit too
inline constexpr std::size_t kMaxRecordsPerCase = 4096;

// The cause of a case that is unmet for want of a key that the kernel trusts. No kernel of a vendor
// has ours, so such a case says nothing against a run.
inline constexpr std::string_view kCauseTrust = "trust";

}  // namespace kassay
