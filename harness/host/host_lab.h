// The lab of suites that run on this machine: what they test is files of the kernel (headers,
// configuration), not its behaviour.
#pragma once

#include <memory>

#include "harness/base/installation.h"
#include "harness/kernel/headers.h"
#include "harness/target/lab.h"

namespace kassay {

class HostLab : public Lab {
 public:
  // `headers` become $KASSAY_KERNEL_HEADERS of what runs here. Every profile but kHostProfile is
  // for `machines`.
  HostLab(Installation installation, std::shared_ptr<KernelHeaders> headers,
          std::unique_ptr<Lab> machines)
      : installation_(std::move(installation)),
        headers_(std::move(headers)),
        machines_(std::move(machines)) {}

  [[nodiscard]] Status Ready(const std::set<std::string>& profiles) const override;
  [[nodiscard]] Result<std::unique_ptr<Guest>> Fresh(const std::string& profile,
                                                     const NoteSink& note) override;
  // Empty for a suite that the installation does not have.
  [[nodiscard]] std::string SuitePath(const std::string& profile,
                                      const std::string& suite) const override;
  // Those of the machines: of this one there is nothing to tell.
  [[nodiscard]] std::map<std::string, TargetFacts> Facts() const override {
    return machines_->Facts();
  }

 private:
  const Installation installation_;
  const std::shared_ptr<KernelHeaders> headers_;
  const std::unique_ptr<Lab> machines_;
};

}  // namespace kassay
