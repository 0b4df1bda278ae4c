// The entry of every unit test: CTest runs each test in a process of its own, many at a time, so
// each gets a folder of its own as ::testing::TempDir() and may name files in it as it likes.
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

int main(int argc, char** argv) {
  std::string folder = ::testing::TempDir() + "kassay-unit-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) {
    std::cerr << "cannot make " << folder << "\n";
    return 1;
  }
  setenv("TEST_TMPDIR", folder.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): one thread yet
  ::testing::InitGoogleMock(&argc, argv);
  const int code = RUN_ALL_TESTS();
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return code;
}
