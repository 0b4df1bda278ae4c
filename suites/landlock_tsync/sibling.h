// Threads of one process that do what they are told, and what a thread can see of its own
// restrictions. All of it is used inside InChild: layers are for ever.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "suites/landlock_tsync/landlock_abi.h"

namespace kassay::landlock {

// A folder of its own with the file that every case tries to open; removed at the end.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] const char* File() const { return file_.c_str(); }    // mode 0666, one byte
  [[nodiscard]] const char* Other() const { return other_.c_str(); }  // in a sub-folder
  [[nodiscard]] const char* Folder() const { return folder_.c_str(); }
  [[nodiscard]] const char* SubFolder() const { return sub_folder_.c_str(); }

 private:
  std::string folder_, sub_folder_, file_, other_;
};

// What the calling thread may do: 0 or -errno of opening for reading and for writing, and its
// no_new_privs flag.
struct Seen {
  int read = 1;
  int write = 1;
  int no_new_privs = -1;
  bool operator==(const Seen&) const = default;
};
[[nodiscard]] Seen Look(const char* file);

inline constexpr Seen kFree{0, 0, 0};
inline constexpr Seen kFreeNnp{0, 0, 1};
inline constexpr Seen kNoRead{-EACCES, 0, 0};
inline constexpr Seen kNoReadNnp{-EACCES, 0, 1};
inline constexpr Seen kNoWrite{0, -EACCES, 0};
inline constexpr Seen kNoWriteNnp{0, -EACCES, 1};
void PrintTo(const Seen& seen, std::ostream* os);

// A thread that waits (in a futex) for orders. Not for the thread that gives them to be restricted
// itself in a way that keeps it from waiting: orders need no system object.
class Sibling {
 public:
  Sibling();
  ~Sibling();  // waits for the order in hand
  Sibling(const Sibling&) = delete;
  Sibling& operator=(const Sibling&) = delete;

  [[nodiscard]] pid_t Tid() const { return tid_; }

  // Runs in the thread; returns when it is done.
  template <typename Order>
  auto Do(Order order) {
    std::invoke_result_t<Order> value{};
    Begin([&] {
      value = order();
      return 0L;
    });
    Finish();
    return value;
  }
  [[nodiscard]] Seen Look(const char* file) {
    return Do([file] { return landlock::Look(file); });
  }

  void Begin(std::function<long()> order);  // only when nothing is in hand
  [[nodiscard]] bool Finished();
  long Finish();  // waits for the order begun last and gives its value

 private:
  void Loop();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<long()> order_;
  long value_ = 0;
  bool busy_ = false;
  bool ending_ = false;
  pid_t tid_ = 0;
  std::thread thread_;  // last: it uses the rest
};

using Siblings = std::vector<std::unique_ptr<Sibling>>;
[[nodiscard]] Siblings StartSiblings(int count);
// How many of them see exactly `expected`.
[[nodiscard]] int CountSeeing(Siblings& siblings, const char* file, const Seen& expected);

// Whether a thread of this process sits in this system call; read through a descriptor that must be
// opened before the reader is restricted. /proc/PID/task/TID/syscall starts with the number of the
// call in which the thread is blocked, or says `running`.
class ThreadWatch {
 public:
  explicit ThreadWatch(pid_t tid);
  // Waits up to `limit_ms` until the thread is blocked in that call.
  [[nodiscard]] bool WaitUntilIn(long system_call, int limit_ms = 5000) const;
  // "NoNewPrivs:" of the thread as /proc shows it: what others see while it stays blocked. -1 if
  // unknown.
  [[nodiscard]] int NoNewPrivs() const;

 private:
  UniqueFd syscall_, status_;
};

[[nodiscard]] long NowMs();  // monotonic clock, milliseconds
void SleepMs(long milliseconds);

}  // namespace kassay::landlock
