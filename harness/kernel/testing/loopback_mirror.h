// A mirror on the loopback interface that misbehaves as told.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "harness/base/unique_fd.h"

namespace kassay::testing {

class LoopbackMirror {
 public:
  LoopbackMirror();
  ~LoopbackMirror();
  LoopbackMirror(const LoopbackMirror&) = delete;
  LoopbackMirror& operator=(const LoopbackMirror&) = delete;

  // http://127.0.0.1:PORT
  [[nodiscard]] std::string Url() const;
  // `path` without a leading slash; what is not there is a 404.
  void Serve(const std::string& path, const std::string& content);
  // The next answers end after so many bytes of content, whatever they promised; 0: no limit.
  void BreakOffAfter(size_t bytes) { break_off_after_ = bytes; }
  // Range is ignored: the whole file comes with 200.
  void IgnoreRanges() { ranges_ = false; }
  // "PATH" or "PATH from OFFSET", one a request.
  [[nodiscard]] std::vector<std::string> Requests();

 private:
  void Loop();
  void Answer(int connection);

  UniqueFd listener_;
  int port_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<size_t> break_off_after_{0};
  std::atomic<bool> ranges_{true};
  std::mutex mutex_;
  std::map<std::string, std::string> files_;  // guarded by mutex_
  std::vector<std::string> requests_;         // guarded by mutex_
  std::thread thread_;
};

}  // namespace kassay::testing
