#include "harness/kernel/image_header.h"
#include "harness/vm/boot.h"

namespace kassay {
namespace {

Status Allowed(const Kernel& kernel, ImageKind kind, BootMode boot) {
  if (boot == BootMode::kDirect || kind == kernel.architecture->shipped) return {};
  return Fail(kernel.image.string() +
                  " is a vmlinux, which does not boot through the firmware: give the bzImage that "
                  "holds it",
              ErrorKind::kUsage);
}

}  // namespace

Status CheckBootPath(const Kernel& kernel, BootMode boot) {
  KASSAY_TRY(const ImageKind kind, ReadImageKind(kernel.image));
  return Allowed(kernel, kind, boot);
}

Status CheckBootPath(const Kernel& kernel, std::string_view head, BootMode boot) {
  const auto kind = ParseImageKind(head);
  if (!kind) return Fail(kind.error().Within(kernel.image.string()));
  return Allowed(kernel, *kind, boot);
}

Result<BootMode> BootModeFor(const Kernel& kernel, const Profile& profile,
                             const VmOptions& options) {
  KASSAY_TRY(const BootMode boot,
             ParseBootMode(options.boot.empty() ? profile.boot : options.boot));
  const Status status = CheckBootPath(kernel, boot);
  if (status) return boot;
  Error error = status.error();
  if (error.kind == ErrorKind::kUsage) error.message += ", or use --boot direct";
  return Fail(error);
}

}  // namespace kassay
