#include "harness/host/host_guest.h"

#include "harness/base/process/program.h"
#include "harness/protocol/records.h"
#include "harness/protocol/suite_program.h"

namespace kassay {
namespace {

class HostGuest : public Guest {
 public:
  explicit HostGuest(std::filesystem::path headers_dir) : headers_dir_(std::move(headers_dir)) {}

  Result<GuestOutcome> Run(const GuestCommand& command,
                           const std::function<void(const std::string&)>& on_record) override {
    GuestOutcome outcome;
    Program program;
    program.argv = command.argv;
    program.limit = command.limit;
    program.environment[kHeadersVariable] = headers_dir_.string();
    program.on_record = [&](std::string record) {
      if (on_record) on_record(record);
      // One over the bound is kept for the judge to see.
      if (outcome.records.size() <= kMaxRecordsPerCase)
        outcome.records.push_back(std::move(record));
    };
    KASSAY_TRY(ProgramOutcome ended, RunProgram(program));
    outcome.output = ended.standard_output + ended.standard_error;
    outcome.end = ended.timed_out     ? GuestOutcome::End::kTimedOut
                  : ended.signal != 0 ? GuestOutcome::End::kSignalled
                                      : GuestOutcome::End::kExited;
    outcome.status = ended.signal != 0 ? ended.signal : ended.exit_code;
    return outcome;
  }

 private:
  const std::filesystem::path headers_dir_;
};

}  // namespace

std::unique_ptr<Guest> MakeHostGuest(const std::filesystem::path& headers_dir) {
  return std::make_unique<HostGuest>(headers_dir);
}

}  // namespace kassay
