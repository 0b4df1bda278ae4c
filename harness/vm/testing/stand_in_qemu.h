// A script in QEMU's place.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "harness/base/file.h"

namespace kassay::testing {

// Writes it as `path`: it answers --version as QEMU does and otherwise runs `body`. Whoever QEMU
// runs as can execute it.
inline void WriteStandInQemu(const std::filesystem::path& path, const std::string& body) {
  namespace fs = std::filesystem;
  ASSERT_TRUE(WriteFileAtomically(
      path,
      "#!/bin/sh\nif [ \"$1\" = --version ]; then echo 'QEMU emulator version 9.9'; exit 0; fi\n" +
          body + "\n"));
  fs::permissions(path, fs::perms::owner_all | fs::perms::others_read | fs::perms::others_exec);
  fs::permissions(path.parent_path(), fs::perms::owner_all | fs::perms::others_exec);
}

}  // namespace kassay::testing
