// A list of restrictions that reads like the policy it is:
//
//   RestrictionList().AllowOp(kNop).RequireFlags(kAsync).ApplyTo(ring)
#pragma once

#include <cstring>
#include <vector>

#include "suites/io_uring/ring.h"
#include "suites/io_uring/uapi.h"

namespace kassay::uring {

class RestrictionList {
 public:
  RestrictionList& AllowOp(unsigned op) { return Add(kAllowSqeOp, op); }
  RestrictionList& AllowRegister(unsigned op) { return Add(kAllowRegisterOp, op); }
  RestrictionList& AllowFlags(unsigned flags) { return Add(kAllowSqeFlags, flags); }
  RestrictionList& RequireFlags(unsigned flags) { return Add(kRequireSqeFlags, flags); }
  RestrictionList& Add(uint16_t kind, unsigned value) {
    return Add(Restriction{.kind = kind, .value = static_cast<uint8_t>(value)});
  }
  RestrictionList& Add(const Restriction& entry) {
    entries_.push_back(entry);
    return *this;
  }
  RestrictionList& AllowOpTimes(unsigned op, unsigned times) {
    for (unsigned i = 0; i < times; ++i) AllowOp(op);
    return *this;
  }

  // The kernel refuses a NULL list even when it is empty, so an empty one points somewhere.
  [[nodiscard]] int ApplyTo(const Ring& ring) const {
    const Restriction none;
    return ring.Register(kRegisterRestrictions, entries_.empty() ? &none : entries_.data(),
                         static_cast<uint32_t>(entries_.size()));
  }

  [[nodiscard]] int ApplyToTask() const {
    const std::vector<std::byte> argument = TaskArgument();
    return RegisterRingless(kRegisterRestrictions, argument.data(), 1);
  }

  // struct io_uring_task_restriction with its array.
  [[nodiscard]] std::vector<std::byte> TaskArgument() const {
    const TaskRestrictionHead head{.count = static_cast<uint16_t>(entries_.size())};
    std::vector<std::byte> bytes(sizeof head + entries_.size() * sizeof(Restriction));
    std::memcpy(bytes.data(), &head, sizeof head);
    if (!entries_.empty()) {
      std::memcpy(bytes.data() + sizeof head, entries_.data(),
                  entries_.size() * sizeof(Restriction));
    }
    return bytes;
  }

 private:
  std::vector<Restriction> entries_;
};

}  // namespace kassay::uring
