#include "suites/support/prepare.h"
#include "harness/protocol/guest_layout.h"
#include "harness/protocol/suite_program.h"

#include <cstdlib>
#include <iostream>

namespace kassay {
namespace {

using PrepareFunction = std::string (*)(const std::string&);

PrepareFunction& Registered() {
  static PrepareFunction function = nullptr;
  return function;
}

}  // namespace

std::filesystem::path PreparedDir() {
  const char* given = std::getenv(kPreparedVariable);  // NOLINT(concurrency-mt-unsafe)
  return given == nullptr ? kGuestPreparedDir : given;
}

PrepareRegistration::PrepareRegistration(std::string (*prepare)(const std::string& folder)) {
  Registered() = prepare;
}

bool HasPreparation() { return Registered() != nullptr; }

int Prepare(const std::string& folder) {
  if (Registered() == nullptr) return 0;
  const std::string problem = Registered()(folder);
  if (problem.empty()) return 0;
  std::cerr << problem << "\n";
  return 1;
}

}  // namespace kassay
