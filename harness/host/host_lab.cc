#include "harness/host/host_lab.h"

#include "harness/base/process/program.h"
#include "harness/base/text/line_cutter.h"
#include "harness/profile/profile.h"
#include "harness/protocol/records.h"
#include "harness/protocol/suite_program.h"
#include "harness/suite/installed_suites.h"

namespace kassay {
namespace {

class HostGuest : public Guest {
 public:
  explicit HostGuest(std::filesystem::path headers_dir) : headers_dir_(std::move(headers_dir)) {}

  Result<GuestOutcome> Run(const GuestCommand& command,
                           const std::function<void(const std::string&)>& on_record) override {
    GuestOutcome outcome;
    // Of lines and of bytes, one over the bound is kept for the judge to see.
    LineCutter lines(kMaxRecordBytes + 1, [&](std::string record) {
      if (on_record) on_record(record);
      if (outcome.records.size() <= kMaxRecordsPerCase)
        outcome.records.push_back(std::move(record));
    });
    std::vector<Stream> streams(1);
    KASSAY_TRY(streams[0], MakeStream([&lines](std::string_view bytes) {
                 lines.Add(bytes);
                 return true;
               }));
    const Command program{
        .argv = command.argv,
        .environment = {{kHeadersVariable, headers_dir_.string()},
                        {kRecordFdVariable, std::to_string(streams[0].pipe.writing.Get())}}};
    KASSAY_TRY(const ProgramOutcome ended,
               RunProgram(program, {.time = command.limit}, std::move(streams)));
    outcome.output = ended.standard_output + ended.standard_error;
    const auto& [status, timed_out, cut] = ended.ending;
    outcome.end = timed_out            ? GuestOutcome::End::kTimedOut
                  : status.signal != 0 ? GuestOutcome::End::kSignalled
                                       : GuestOutcome::End::kExited;
    outcome.status = status.signal != 0 ? status.signal : status.exit_code;
    return outcome;
  }

 private:
  const std::filesystem::path headers_dir_;
};

}  // namespace

Status HostLab::Ready(const std::set<std::string>& profiles) const {
  std::set<std::string> booted = profiles;
  booted.erase(kHostProfile);
  return machines_->Ready(booted);
}

Result<std::unique_ptr<Guest>> HostLab::Fresh(const std::string& profile, const NoteSink& note) {
  if (profile != kHostProfile) return machines_->Fresh(profile, note);
  KASSAY_TRY(std::filesystem::path headers, headers_->Folder());
  return std::make_unique<HostGuest>(std::move(headers));
}

std::string HostLab::SuitePath(const std::string& profile, const std::string& suite) const {
  if (profile != kHostProfile) return machines_->SuitePath(profile, suite);
  const auto files = FindSuite(installation_, suite);
  return files ? files->executable.string() : "";
}

}  // namespace kassay
