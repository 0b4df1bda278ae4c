// Devices of the device mapper through /dev/mapper/control (linux/dm-ioctl.h). Every call gives 0
// or a negative errno.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/unique_fd.h"

namespace kassay::verity {

struct Target {
  std::uint64_t start = 0;  // sectors of 512 bytes
  std::uint64_t length = 0;
  std::string type = "verity";
  std::string parameters;
};

// Whether the kernel has a target of this type (DM_LIST_VERSIONS).
[[nodiscard]] bool HasTarget(const std::string& type);

class MappedDevice {
 public:
  // An empty device with a name of its own.
  [[nodiscard]] static Result<MappedDevice> Create();
  MappedDevice(MappedDevice&&) noexcept = default;
  MappedDevice& operator=(MappedDevice&&) = delete;
  MappedDevice(const MappedDevice&) = delete;
  MappedDevice& operator=(const MappedDevice&) = delete;
  ~MappedDevice();

  [[nodiscard]] long Load(const std::vector<Target>& table, bool read_only = true);
  [[nodiscard]] long Resume();
  [[nodiscard]] long Remove();

  // Whether it has a table, active or loaded.
  [[nodiscard]] bool HasTable() const;
  // Of the one target of its active table: what it says of its state, and the table's parameters.
  [[nodiscard]] std::string Status() const;
  [[nodiscard]] std::string Table() const;
  // "/dev/dm-0".
  [[nodiscard]] std::string Path() const;
  // "dm-0".
  [[nodiscard]] std::string KernelName() const;
  // "253:0".
  [[nodiscard]] std::string MajorMinor() const;

 private:
  MappedDevice(UniqueFd control, std::string name, dev_t device)
      : control_(std::move(control)), name_(std::move(name)), device_(device) {}
  [[nodiscard]] std::string AskTable(unsigned flags) const;

  UniqueFd control_;
  std::string name_;
  dev_t device_;
};

}  // namespace kassay::verity
