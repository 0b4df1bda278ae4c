// The lab of suites that run on this machine: what they test is files of the kernel (headers,
// configuration), not its behaviour.
#pragma once

#include <memory>

#include "harness/kernel/headers.h"
#include "harness/suite/installed_suites.h"
#include "harness/target/lab.h"

namespace kassay {

class HostLab : public Lab {
 public:
  // `headers` become $KASSAY_KERNEL_HEADERS of what runs.
  HostLab(Installation installation, std::shared_ptr<KernelHeaders> headers)
      : installation_(std::move(installation)), headers_(std::move(headers)) {}

  [[nodiscard]] Status Ready(const std::set<std::string>&) const override { return {}; }
  [[nodiscard]] Result<std::unique_ptr<Guest>> Fresh(const std::string& profile,
                                                     const NoteSink& note) override;
  // Empty for a suite that the installation does not have.
  [[nodiscard]] std::string SuitePath(const std::string&, const std::string& suite) const override {
    const auto files = FindSuite(installation_, suite);
    return files ? files->executable.string() : "";
  }
  // There is no machine to tell of.
  [[nodiscard]] std::map<std::string, TargetFacts> Facts() const override { return {}; }

 private:
  const Installation installation_;
  const std::shared_ptr<KernelHeaders> headers_;
};

}  // namespace kassay
