#include "harness/vm/memory_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness/vm/qemu_user.h"

namespace kassay {
namespace {

Result<UniqueFd> InMemory(const char* name, unsigned flags, std::string_view bytes) {
  UniqueFd file(::memfd_create(name, MFD_CLOEXEC | flags));
  if (!file.IsOpen()) return FailErrno("memfd_create");
  while (!bytes.empty()) {
    const ssize_t put = ::write(file.Get(), bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return FailErrno("cannot keep a file in memory");
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return file;
}

}  // namespace

Result<UniqueFd> SealedFile(const char* name, std::string_view bytes) {
  KASSAY_TRY(UniqueFd file, InMemory(name, MFD_ALLOW_SEALING, bytes));
  if (::fcntl(file.Get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) !=
      0)
    return FailErrno("F_ADD_SEALS");
  return file;
}

Result<UniqueFd> OwnFile(const char* name, std::string_view bytes) {
  KASSAY_TRY(UniqueFd file, InMemory(name, 0, bytes));
  KASSAY_CHECK(GiveToQemu(file.Get()));
  return file;
}

Result<UniqueFd> BlankFile(const char* name, std::uint64_t bytes) {
  KASSAY_TRY(UniqueFd file, InMemory(name, 0, {}));
  if (::ftruncate(file.Get(), static_cast<off_t>(bytes)) != 0)
    return FailErrno("cannot keep a file in memory");
  KASSAY_CHECK(GiveToQemu(file.Get()));
  return file;
}

}  // namespace kassay
