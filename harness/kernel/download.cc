#include "harness/kernel/download.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "harness/base/interrupt.h"
#include "harness/base/sha256.h"
#include "harness/base/unique_fd.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

constexpr long kConnectSeconds = 30;
constexpr long kStalledSeconds = 60;  // less than a byte a second for so long

struct CurlFree {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using CurlHandle = std::unique_ptr<CURL, CurlFree>;

struct Transfer {
  const PinnedFile& pin;
  const std::function<void(const FetchProgress&)>& on_progress;
  UniqueFd part;
  std::uint64_t size = 0;  // of the part file
  int write_error = 0;
  bool too_large = false;
  bool mirrors_fault = false;
};

size_t OnData(const char* data, size_t unit, size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const size_t bytes = unit * count;
  if (transfer.size + bytes > transfer.pin.size) {
    transfer.too_large = true;
    return 0;
  }
  size_t done = 0;
  while (done < bytes) {
    const ssize_t put = ::write(transfer.part.Get(), data + done, bytes - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      transfer.write_error = errno;
      return 0;
    }
    done += static_cast<size_t>(put);
  }
  transfer.size += bytes;
  if (transfer.on_progress) {
    transfer.on_progress({transfer.pin.Name(), transfer.size, transfer.pin.size});
  }
  return bytes;
}

int OnTick(void* /*user*/, curl_off_t /*total*/, curl_off_t /*done*/, curl_off_t /*up_total*/,
           curl_off_t /*up_done*/) {
  return Interrupted() ? 1 : 0;
}

// Options that hold for every transfer. libcurl's setopt is variadic: types matter.
void SetOptions(CURL* handle, const std::string& url, Transfer& transfer, char* error_text) {
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, error_text);
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https,file");
  curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(handle, CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(handle, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, kStalledSeconds);
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "kassay");
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &OnData);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &OnTick);
}

Error TransferError(CURLcode code, long status, const char* text, const Transfer& transfer,
                    const std::string& url) {
  const std::string name = transfer.pin.Name();
  if (Interrupted()) return Interruption();
  if (transfer.too_large) {
    return {fmt::format("{} is larger than the {} bytes that are pinned: it is not the pinned file",
                        url, transfer.pin.size)};
  }
  if (transfer.write_error != 0) {
    return {
        fmt::format("cannot write {}: {}; free some space, or set KASSAY_CACHE_DIR to a folder "
                    "elsewhere",
                    name, std::strerror(transfer.write_error))};
  }
  if (status >= 400) return {fmt::format("{}: the mirror answers {}", url, status)};
  const std::string reason = *text != '\0' ? text : curl_easy_strerror(code);
  if (code == CURLE_PARTIAL_FILE || transfer.size > 0) {
    return {
        fmt::format("the download of {} broke off at {} of {} bytes ({}): run the same command "
                    "again, it goes on from there",
                    name, transfer.size, transfer.pin.size, reason)};
  }
  return {fmt::format("{}: {}", url, reason)};
}

// Appends to the part file from where it ends; false if the mirror cannot go on from there.
Result<bool> Receive(const std::string& url, Transfer& transfer) {
  const CurlHandle handle(curl_easy_init());
  if (!handle) return Fail("libcurl does not start");
  std::array<char, CURL_ERROR_SIZE> error_text{};
  SetOptions(handle.get(), url, transfer, error_text.data());
  const std::uint64_t from = transfer.size;
  curl_easy_setopt(handle.get(), CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(from));
  const CURLcode code = curl_easy_perform(handle.get());
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  // The server does not do ranges, or thinks that there is nothing left.
  if (from > 0 &&
      (code == CURLE_RANGE_ERROR || code == CURLE_BAD_DOWNLOAD_RESUME || status == 416)) {
    return false;
  }
  if (code != CURLE_OK) {
    transfer.mirrors_fault = transfer.write_error == 0 && !Interrupted();
    return Fail(TransferError(code, status, error_text.data(), transfer, url));
  }
  return true;
}

Status StartOver(Transfer& transfer) {
  if (::ftruncate(transfer.part.Get(), 0) != 0) return FailErrno("cannot empty the part file");
  transfer.size = 0;
  return {};
}

Result<Transfer> OpenPart(const fs::path& part, const PinnedFile& pin,
                          const std::function<void(const FetchProgress&)>& on_progress) {
  Transfer transfer{pin, on_progress, UniqueFd(), 0, 0, false, false};
  transfer.part.Reset(::open(part.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!transfer.part.IsOpen()) return FailErrno("cannot write " + part.string());
  const off_t size = ::lseek(transfer.part.Get(), 0, SEEK_END);
  if (size < 0) return FailErrno("cannot read " + part.string());
  transfer.size = static_cast<std::uint64_t>(size);
  if (transfer.size > pin.size) KASSAY_CHECK(StartOver(transfer));
  return transfer;
}

}  // namespace

Status VerifyFile(const fs::path& path, const PinnedFile& pin) {
  std::error_code error;
  const std::uint64_t size = fs::file_size(path, error);
  if (error) return Fail(path.string() + ": " + error.message());
  if (size != pin.size) {
    return Fail(fmt::format("{} has {} bytes, {} are pinned: truncated, or another file",
                            path.string(), size, pin.size));
  }
  KASSAY_TRY(const std::string sha256, Sha256HexOfFile(path));
  if (sha256 != pin.sha256) {
    return Fail(fmt::format("{} has the wrong checksum: SHA-256 is {}, pinned is {}", path.string(),
                            sha256, pin.sha256));
  }
  return {};
}

namespace {

// Fills the part file until it is verified, and gives it its name.
Status Complete(const std::string& mirror, const fs::path& target, Transfer& transfer) {
  const PinnedFile& pin = transfer.pin;
  const std::string url = mirror + "/" + pin.path;
  const fs::path part = target.string() + ".part";
  // A part left by an earlier attempt may itself be damaged: then, once, from the beginning.
  for (bool resumed = transfer.size > 0;; resumed = false) {
    if (transfer.size < pin.size) {
      KASSAY_TRY(const bool whole, Receive(url, transfer));
      if (!whole) {
        KASSAY_CHECK(StartOver(transfer));
        KASSAY_TRY([[maybe_unused]] const bool again, Receive(url, transfer));
        resumed = false;
      }
    }
    Status verified = VerifyFile(part, pin);
    if (verified) break;
    if (!resumed) {
      transfer.mirrors_fault = true;
      std::error_code ignored;
      fs::remove(part, ignored);
      return Fail(verified.error().message + "; what " + mirror +
                  " sent is not used and was removed");
    }
    KASSAY_CHECK(StartOver(transfer));
  }
  if (::fsync(transfer.part.Get()) != 0) return FailErrno("cannot write " + part.string());
  if (::rename(part.c_str(), target.c_str()) != 0) return FailErrno("rename to " + target.string());
  return {};
}

}  // namespace

tl::expected<void, DownloadError> Download(
    const std::string& mirror, const PinnedFile& pin, const fs::path& target,
    const std::function<void(const FetchProgress&)>& on_progress) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) return tl::unexpected(DownloadError{{"libcurl does not start"}});
  const fs::path part = target.string() + ".part";
  auto transfer = OpenPart(part, pin, on_progress);
  if (!transfer) return tl::unexpected(DownloadError{std::move(transfer).error()});
  if (auto status = Complete(mirror, target, *transfer); !status) {
    // Where nothing came there is nothing to resume.
    if (std::error_code ignored; fs::file_size(part, ignored) == 0) fs::remove(part, ignored);
    return tl::unexpected(DownloadError{std::move(status).error(), transfer->mirrors_fault});
  }
  return {};
}

}  // namespace kassay
