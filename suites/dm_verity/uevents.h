// What the kernel tells the world about corrupted blocks: uevents, and lines of its log.
#pragma once

#include <string>
#include <vector>

#include "harness/base/unique_fd.h"
#include "suites/support/kernel_log.h"

namespace kassay::verity {

// Uevents from the object's construction on (netlink, NETLINK_KOBJECT_UEVENT).
class Uevents {
 public:
  Uevents();
  [[nodiscard]] bool IsListening() const { return socket_.IsOpen(); }
  struct Event {
    std::string device;      // "dm-0"
    std::string action;      // "change"
    std::string corruption;  // the value of DM_VERITY_ERR_BLOCK_NR: "0,17"
  };
  // All so far that tell of corruption.
  [[nodiscard]] std::vector<Event> Corruptions();

 private:
  UniqueFd socket_;
};

// Counts lines of the kernel log, all since the object's construction.
class LogCounter {
 public:
  // How many have `text` in them so far.
  [[nodiscard]] std::size_t Count(const std::string& text);

 private:
  KernelLog log_;
  std::vector<std::string> lines_;
};

}  // namespace kassay::verity
