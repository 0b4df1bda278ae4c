// What a suite executable says while it runs: one JSON object a line on the descriptor named by
// $KASSAY_RECORD_FD (without it nothing is written and the suite is an ordinary GoogleTest
// program). The agent carries these lines to the host unread; the host parses them as untrusted
// input.
//
//   {"type":"case_start","case":"Ring.Name"}
//   {"type":"failure","case":..,"file":"suites/..","line":12,"message":".."}     one assertion that
//   failed
//   {"type":"evidence","case":..,"key":"errno","value":"-13"}
//   {"type":"leave","case":..,"verdict":"absent"|"unmet","reason":".."}         the case was left,
//   and why
//   {"type":"case_end","case":..,"passed":true|false}
//   {"type":"feature","feature":"io_uring_bpf_filter","present":true|false,"detail":".."}   from
//   --kassay_probe
//
// `SUITE --kassay_list` prints one JSON object on standard output and runs nothing:
//   {"suite":"io_uring","features":["io_uring_bpf_filter",..],
//    "cases":[{"case":"Ring.Name","requirements":["IOU-001"],"detection":false,"timeout_s":30,
//              "profile":"","expects_panic":"","allows_taint":"","file":"suites/io_uring/ring.cc",
//              "line":12},..]}
#pragma once

#include <cstddef>

namespace kassay {

// Bounds that the writer keeps and the reader enforces.
inline constexpr std::size_t kMaxRecordBytes = std::size_t{64} << 10;  // one line
inline constexpr std::size_t kMaxCaseNameBytes = 256;
inline constexpr std::size_t kMaxRecordsPerCase = 4096;

}  // namespace kassay
