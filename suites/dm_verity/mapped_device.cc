#include "suites/dm_verity/mapped_device.h"

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace kassay::verity {
namespace {

constexpr std::size_t kAnswerBytes = 16384;

// The header and its payload in one buffer, as the ioctls want it.
class Request {
 public:
  explicit Request(const std::string& name, unsigned flags = 0, const std::string& payload = {},
                   unsigned targets = 0)
      : bytes_(sizeof(dm_ioctl) + std::max(payload.size(), kAnswerBytes), '\0') {
    dm_ioctl& header = Header();
    header.version[0] = 4;  // DM_VERSION_MAJOR; every minor is taken
    header.data_size = static_cast<__u32>(bytes_.size());
    header.data_start = sizeof(dm_ioctl);
    header.flags = flags;
    header.target_count = targets;
    name.copy(header.name, sizeof header.name - 1);
    payload.copy(bytes_.data() + sizeof(dm_ioctl), payload.size());
  }
  long Do(int control, unsigned long command) {
    return ioctl(control, command, bytes_.data()) < 0 ? -errno : 0;
  }
  dm_ioctl& Header() { return *reinterpret_cast<dm_ioctl*>(bytes_.data()); }
  [[nodiscard]] const char* Payload() { return bytes_.data() + Header().data_start; }

 private:
  std::string bytes_;
};

UniqueFd OpenControl() { return UniqueFd(open("/dev/mapper/control", O_RDWR | O_CLOEXEC)); }

std::string Encode(const Target& target) {
  dm_target_spec spec{};
  spec.sector_start = target.start;
  spec.length = target.length;
  target.type.copy(spec.target_type, sizeof spec.target_type - 1);
  // The parameters with their final zero, up to the next multiple of eight.
  const std::size_t size = (sizeof spec + target.parameters.size() + 8) / 8 * 8;
  spec.next = static_cast<__u32>(size);
  std::string bytes(reinterpret_cast<const char*>(&spec), sizeof spec);
  bytes += target.parameters;
  bytes.resize(size, '\0');
  return bytes;
}

}  // namespace

bool HasTarget(const std::string& type) {
  const UniqueFd control = OpenControl();
  Request request("");
  if (request.Do(control.Get(), DM_LIST_VERSIONS) != 0) return false;
  const char* at = request.Payload();
  while (true) {
    dm_target_versions entry{};
    std::memcpy(&entry, at, sizeof entry);
    if (type == at + sizeof entry) return true;
    if (entry.next == 0) return false;
    at += entry.next;
  }
}

Result<MappedDevice> MappedDevice::Create() {
  static int number = 0;
  UniqueFd control = OpenControl();
  if (!control.IsOpen()) return FailErrno("no device mapper: open /dev/mapper/control");
  std::string name = "kassay-" + std::to_string(getpid()) + "-" + std::to_string(++number);
  Request request(name);
  if (request.Do(control.Get(), DM_DEV_CREATE) != 0) return FailErrno("DM_DEV_CREATE");
  const auto device = static_cast<dev_t>(request.Header().dev);
  // huge_encode_dev(), include/linux/kdev_t.h: the same as the C library's for these numbers.
  return MappedDevice(std::move(control), std::move(name), device);
}

MappedDevice::~MappedDevice() {
  if (control_.IsOpen()) static_cast<void>(Remove());
}

long MappedDevice::Load(const std::vector<Target>& table, bool read_only) {
  std::string payload;
  for (const Target& target : table) payload += Encode(target);
  Request request(name_, read_only ? DM_READONLY_FLAG : 0, payload,
                  static_cast<unsigned>(table.size()));
  return request.Do(control_.Get(), DM_TABLE_LOAD);
}

long MappedDevice::Resume() { return Request(name_).Do(control_.Get(), DM_DEV_SUSPEND); }

long MappedDevice::Remove() { return Request(name_).Do(control_.Get(), DM_DEV_REMOVE); }

bool MappedDevice::HasTable() const {
  Request request(name_);
  if (request.Do(control_.Get(), DM_DEV_STATUS) != 0) return false;
  return (request.Header().flags & (DM_ACTIVE_PRESENT_FLAG | DM_INACTIVE_PRESENT_FLAG)) != 0;
}

std::string MappedDevice::AskTable(unsigned flags) const {
  Request request(name_, flags);
  const long error = request.Do(control_.Get(), DM_TABLE_STATUS);
  if (error != 0) return std::string("error ") + strerrorname_np(static_cast<int>(-error));
  if (request.Header().target_count != 1)
    return std::to_string(request.Header().target_count) + " targets";
  return request.Payload() + sizeof(dm_target_spec);
}

std::string MappedDevice::Status() const { return AskTable(0); }

std::string MappedDevice::Table() const { return AskTable(DM_STATUS_TABLE_FLAG); }

std::string MappedDevice::Path() const { return "/dev/" + KernelName(); }

std::string MappedDevice::KernelName() const { return "dm-" + std::to_string(minor(device_)); }

std::string MappedDevice::MajorMinor() const {
  return std::to_string(major(device_)) + ":" + std::to_string(minor(device_));
}

}  // namespace kassay::verity
