#include "harness/base/process/spawner_thread.h"

#include <pthread.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <memory>
#include <mutex>
#include <thread>

namespace kassay {
namespace {

class SpawnerThread {
 public:
  SpawnerThread() : thread_([this](const std::stop_token& stop) { Serve(stop); }) {}

  void Run(const std::function<void()>& task) {
    std::unique_lock lock(mutex_);
    task_ = &task;
    changed_.notify_all();
    changed_.wait(lock, [this] { return task_ == nullptr; });
  }

 private:
  void Serve(const std::stop_token& stop) {
    // Signals are for the threads that wait for something.
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [this] { return task_ != nullptr; })) {
      (*task_)();
      task_ = nullptr;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  const std::function<void()>* task_ = nullptr;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace

void OnSpawnerThread(const std::function<void()>& task) {
  static std::mutex one_at_a_time;
  static std::unique_ptr<SpawnerThread> thread;
  static pid_t owner = 0;
  const std::lock_guard lock(one_at_a_time);
  if (owner != ::getpid()) {
    // After a fork the parent's thread is not here; there is nothing to join.
    static_cast<void>(thread.release());
    thread = std::make_unique<SpawnerThread>();
    owner = ::getpid();
  }
  thread->Run(task);
}

}  // namespace kassay
