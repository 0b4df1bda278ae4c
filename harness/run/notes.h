// What a run finds out about its surroundings: a fallback to emulation, a probe against the config.
#pragma once

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

#include "harness/run/run.h"
#include "harness/verdict/journal.h"

namespace kassay {

// Findings about the surroundings, from any thread, each once; to the observer at once, to the
// journal as soon as there is one.
class Notes {
 public:
  explicit Notes(RunObserver& observer) : observer_(observer) {}

  void Add(const std::string& text) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (std::find(texts_.begin(), texts_.end(), text) != texts_.end()) return;
    texts_.push_back(text);
    // A note that cannot be written shows itself with the next case.
    if (journal_ != nullptr) static_cast<void>(journal_->AddNote(text));
    observer_.OnNote(text);
  }
  void Remember(const std::vector<std::string>& texts) { texts_ = texts; }
  void WriteTo(Journal& journal) {
    const std::lock_guard<std::mutex> lock(mutex_);
    journal_ = &journal;
    for (const std::string& text : texts_) static_cast<void>(journal.AddNote(text));
  }
  [[nodiscard]] const std::vector<std::string>& texts() const { return texts_; }

 private:
  RunObserver& observer_;
  std::mutex mutex_;
  Journal* journal_ = nullptr;
  std::vector<std::string> texts_;
};

}  // namespace kassay
