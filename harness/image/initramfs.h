// The initramfs of a guest: two concatenated, uncompressed newc segments (Documentation/driver-api/
// early-userspace/buffer-format.rst), one for user space, one for the kernel's modules.
//
// In the guest:
//   /init                          the agent (libexec/kassay/guest-agent)
//   /kassay/suites/NAME            the suite's executable; its shared libraries on their own paths
//   /kassay/fixtures/...           the files that the profile names, from share/kassay/fixtures and
//                                  from libexec/kassay/fixtures (those that the build makes)
//   /kassay/kernel.config          the configuration, where the kernel came with one
//   /kassay/prepared/...           what suites made on this machine for this kernel
//   /kassay/modules.load           one absolute path a line: load in this order before the snapshot
//   /kassay/modules.available      "NAME PATH" a line, in load order: in the image, not loaded
//   /lib/modules/RELEASE/kernel/.. the modules, decompressed
//   /bin/busybox, /bin/sh          only with_shell
//   /etc/{passwd,group,...}        root (0), kassay (1000), nobody (65534)
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/installation.h"
#include "harness/base/result.h"
#include "harness/kernel/kernel.h"
#include "harness/profile/profile.h"

namespace kassay {

struct InitramfsSpec {
  const Installation* installation = nullptr;   // must outlive the call
  const Kernel* kernel = nullptr;               // must outlive the call
  const Profile* profile = nullptr;             // must outlive the call
  std::vector<std::string> suites;              // of the installation; may be empty
  std::vector<std::filesystem::path> prepared;  // folders whose files go to /kassay/prepared
  bool with_shell = false;                      // busybox-static as /bin/busybox and /bin/sh
};

struct Initramfs {
  std::filesystem::path path;  // in the cache; never written again once it is there
  std::string sha256;          // of the whole file: part of a snapshot's key
  // What the profile names and this kernel has neither as a module nor built in. Not an error: the
  // features that need them are then disabled or absent.
  std::vector<std::string> missing_modules;
};

// Builds it or takes it from `cache_dir` (made if needed). The same inputs give the same bytes; two
// processes may build at once. Fails with one line on a missing agent, suite, library, fixture or
// busybox, on a damaged module and on a full disk; nothing half-written stays.
[[nodiscard]] Result<Initramfs> BuildInitramfs(const InitramfsSpec& spec,
                                               const std::filesystem::path& cache_dir);

}  // namespace kassay
