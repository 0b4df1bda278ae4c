// The lab of suites that run on this machine: what they test is files of the kernel (headers,
// configuration), not its behaviour.
#pragma once

#include <filesystem>
#include <memory>

#include "harness/kernel/headers.h"
#include "harness/target/lab.h"

namespace kassay {

class HostLab : public Lab {
 public:
  // `headers` become $KASSAY_KERNEL_HEADERS of what runs; suites are in libexec_dir/suites.
  HostLab(std::filesystem::path libexec_dir, std::shared_ptr<KernelHeaders> headers)
      : libexec_dir_(std::move(libexec_dir)), headers_(std::move(headers)) {}

  [[nodiscard]] Status Ready(const std::set<std::string>&) const override { return {}; }
  [[nodiscard]] Result<std::unique_ptr<Guest>> Fresh(const std::string& profile,
                                                     const NoteSink& note) override;
  [[nodiscard]] std::string SuitePath(const std::string&, const std::string& suite) const override {
    return (libexec_dir_ / "suites" / suite).string();
  }
  // There is no machine to tell of.
  [[nodiscard]] std::map<std::string, TargetFacts> Facts() const override { return {}; }

 private:
  const std::filesystem::path libexec_dir_;
  const std::shared_ptr<KernelHeaders> headers_;
};

}  // namespace kassay
