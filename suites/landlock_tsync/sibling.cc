#include "suites/landlock_tsync/sibling.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "suites/support/syscall_matchers.h"

namespace kassay::landlock {
namespace {

void MakeFile(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
  // Not by the umask: threads that gave up root must be able to open it too.
  fchmod(fd.Get(), 0666);
  [[maybe_unused]] const ssize_t put = write(fd.Get(), "x", 1);
}

int TryOpen(const char* file, int flags) {
  const UniqueFd fd(open(file, flags | O_CLOEXEC));
  return fd.IsOpen() ? 0 : -errno;
}

}  // namespace

Scratch::Scratch() {
  std::array<char, 32> pattern{"/tmp/landlock.XXXXXX"};
  folder_ = mkdtemp(pattern.data()) == nullptr ? "/tmp" : pattern.data();
  chmod(folder_.c_str(), 0755);
  sub_folder_ = folder_ + "/sub";
  mkdir(sub_folder_.c_str(), 0755);
  file_ = folder_ + "/file";
  other_ = sub_folder_ + "/other";
  MakeFile(file_);
  MakeFile(other_);
}

Scratch::~Scratch() {
  unlink(other_.c_str());
  unlink(file_.c_str());
  rmdir(sub_folder_.c_str());
  rmdir(folder_.c_str());
}

Seen Look(const char* file) {
  return {TryOpen(file, O_RDONLY), TryOpen(file, O_WRONLY), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)};
}

void PrintTo(const Seen& seen, std::ostream* os) {
  *os << "{read " << ErrnoName(-seen.read) << ", write " << ErrnoName(-seen.write)
      << ", no_new_privs " << seen.no_new_privs << "}";
}

Sibling::Sibling() : thread_([this] { Loop(); }) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return tid_ != 0; });
}

Sibling::~Sibling() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Sibling::Begin(std::function<long()> order) {
  {
    const std::scoped_lock lock(mutex_);
    order_ = std::move(order);
    busy_ = true;
  }
  changed_.notify_all();
}

bool Sibling::Finished() {
  const std::scoped_lock lock(mutex_);
  return !busy_;
}

long Sibling::Finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !busy_; });
  return value_;
}

void Sibling::Loop() {
  std::unique_lock lock(mutex_);
  tid_ = static_cast<pid_t>(syscall(SYS_gettid));
  changed_.notify_all();
  for (;;) {
    changed_.wait(lock, [this] { return busy_ || ending_; });
    if (!busy_) return;
    lock.unlock();
    const long value = order_();
    lock.lock();
    value_ = value;
    busy_ = false;
    changed_.notify_all();
  }
}

Siblings StartSiblings(int count) {
  Siblings siblings;
  for (int i = 0; i < count; ++i) siblings.push_back(std::make_unique<Sibling>());
  return siblings;
}

int CountSeeing(Siblings& siblings, const char* file, const Seen& expected) {
  int count = 0;
  for (const auto& sibling : siblings) count += sibling->Look(file) == expected ? 1 : 0;
  return count;
}

ThreadWatch::ThreadWatch(pid_t tid) {
  const std::string task = "/proc/self/task/" + std::to_string(tid);
  syscall_.Reset(open((task + "/syscall").c_str(), O_RDONLY | O_CLOEXEC));
  status_.Reset(open((task + "/status").c_str(), O_RDONLY | O_CLOEXEC));
}

bool ThreadWatch::WaitUntilIn(long system_call, int limit_ms) const {
  const std::string wanted = std::to_string(system_call) + " ";
  const long deadline = NowMs() + limit_ms;
  do {
    std::array<char, 256> text{};
    const ssize_t got = pread(syscall_.Get(), text.data(), text.size() - 1, 0);
    if (got > 0 && strncmp(text.data(), wanted.c_str(), wanted.size()) == 0) return true;
    SleepMs(5);
  } while (NowMs() < deadline);
  return false;
}

int ThreadWatch::NoNewPrivs() const {
  std::array<char, 4096> text{};
  if (pread(status_.Get(), text.data(), text.size() - 1, 0) <= 0) return -1;
  const char* at = strstr(text.data(), "NoNewPrivs:\t");
  return at == nullptr ? -1 : at[12] - '0';
}

long NowMs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void SleepMs(long milliseconds) {
  timespec left{milliseconds / 1000, milliseconds % 1000 * 1000000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

}  // namespace kassay::landlock
