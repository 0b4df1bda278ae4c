// io_uring beside the call: requests run with the credentials of who submits them, except where
// credentials are kept in the ring. Source: io_uring/io_uring.c:io_init_req, io_uring/sqpoll.c,
// io_uring/register.c:io_register_personality.
#include <fcntl.h>
#include <liburing.h>

#include <array>

#include "suites/landlock_tsync/sibling.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::landlock {
namespace {

using ::testing::Eq;
using ::testing::Gt;

class Ring {
 public:
  explicit Ring(unsigned flags) {
    io_uring_params params{};
    params.flags = flags;
    params.sq_thread_idle = 10000;
    error_ = io_uring_queue_init_params(8, &ring_, &params);
  }
  ~Ring() {
    if (error_ == 0) io_uring_queue_exit(&ring_);
  }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  [[nodiscard]] int Error() const { return error_; }
  [[nodiscard]] int RegisterPersonality() { return io_uring_register_personality(&ring_); }

  // The result of opening the file through the ring: 0 or -errno.
  int TryRead(const char* path, unsigned char sqe_flags, int personality = 0) {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    io_uring_prep_openat(sqe, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    sqe->flags |= sqe_flags;
    sqe->personality = static_cast<unsigned short>(personality);
    io_uring_submit(&ring_);
    const int result = Wait();
    if (result >= 0) close(result);
    return result >= 0 ? 0 : result;
  }
  void ReadPipeInWorker(int fd, char* byte) {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    io_uring_prep_read(sqe, fd, byte, 1, 0);
    sqe->flags |= IOSQE_ASYNC;
    io_uring_submit(&ring_);
  }
  [[nodiscard]] bool Pending() { return io_uring_cq_ready(&ring_) == 0; }
  int Wait() {
    io_uring_cqe* cqe = nullptr;
    int failed = 0;
    do {
      failed = io_uring_wait_cqe(&ring_, &cqe);
    } while (failed == -EINTR);
    if (failed != 0) return failed;
    const int result = cqe->res;
    io_uring_cqe_seen(&ring_, cqe);
    return result;
  }

 private:
  io_uring ring_{};
  int error_ = 0;
};

KASSAY_CASE(Ring, RequestsSubmittedAfterwardsAreRestricted, Cites("LLK-062")) {
  const Scratch scratch;
  struct Outcome {
    int ring;
    int before, before_worker;
    long result;
    int inline_request, worker_request;
  };
  const auto seen = InChild([&] {
    Sibling sibling;
    Outcome outcome{};
    sibling.Do([&] {
      static Ring ring(0);  // outlives the order; made and used by the sibling
      outcome.ring = ring.Error();
      if (outcome.ring != 0) return 0;
      outcome.before = ring.TryRead(scratch.File(), 0);
      outcome.before_worker = ring.TryRead(scratch.File(), IOSQE_ASYNC);
      return 0;
    });
    outcome.result = RestrictSelf(Ruleset(kFsReadFile).Get(), kTsync);
    if (outcome.ring != 0) return outcome;
    // The same ring, with a worker that already existed.
    static Ring own(0);
    outcome.inline_request = own.TryRead(scratch.File(), 0);
    sibling.Do([&] {
      outcome.worker_request = own.TryRead(scratch.File(), IOSQE_ASYNC);
      return 0;
    });
    return outcome;
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  ASSERT_THAT(seen.value->ring, Eq(0));
  EXPECT_THAT(seen.value->before, Eq(0));
  EXPECT_THAT(seen.value->before_worker, Eq(0));
  EXPECT_THAT(seen.value->result, Eq(0));
  EXPECT_THAT(seen.value->inline_request, IsErrno(EACCES));
  EXPECT_THAT(seen.value->worker_request, IsErrno(EACCES));
}

KASSAY_CASE(Ring, OldRingWithOldWorkerIsRestrictedToo, Cites("LLK-062")) {
  const Scratch scratch;
  const auto seen = InChild([&] {
    Ring ring(0);
    Sibling sibling;
    std::array<int, 4> results{};
    results[0] = ring.TryRead(scratch.File(), IOSQE_ASYNC);
    // Called by another thread than the ring's.
    results[1] = static_cast<int>(
        sibling.Do([] { return RestrictSelf(Ruleset(kFsReadFile).Get(), kTsync); }));
    results[2] = ring.TryRead(scratch.File(), 0);
    results[3] = ring.TryRead(scratch.File(), IOSQE_ASYNC);
    return results;
  });
  EXPECT_THAT(seen, Returned(Eq(std::array<int, 4>{0, 0, -EACCES, -EACCES})));
}

KASSAY_CASE(Ring, CredentialsKeptInARingStayOld, Cites("LLK-063")) {
  const Scratch scratch;
  struct Outcome {
    int polled_ring, plain_ring, personality;
    long result;
    int through_polled, through_personality, plain;
  };
  const auto seen = InChild([&] {
    Ring polled(IORING_SETUP_SQPOLL);
    Ring plain(0);
    Sibling sibling;
    Outcome outcome{};
    outcome.polled_ring = polled.Error();
    outcome.plain_ring = plain.Error();
    if (outcome.polled_ring != 0 || outcome.plain_ring != 0) return outcome;
    outcome.personality = plain.RegisterPersonality();
    outcome.result = RestrictSelf(Ruleset(kFsReadFile).Get(), kTsync);
    outcome.through_polled = polled.TryRead(scratch.File(), 0);
    outcome.through_personality = plain.TryRead(scratch.File(), 0, outcome.personality);
    outcome.plain = plain.TryRead(scratch.File(), 0);
    return outcome;
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  ASSERT_THAT(seen.value->polled_ring, Eq(0));
  ASSERT_THAT(seen.value->plain_ring, Eq(0));
  EXPECT_THAT(seen.value->personality, Gt(0));
  EXPECT_THAT(seen.value->result, Eq(0));
  EXPECT_THAT(seen.value->through_polled, Eq(0));
  EXPECT_THAT(seen.value->through_personality, Eq(0));
  EXPECT_THAT(seen.value->plain, IsErrno(EACCES));
}

KASSAY_CASE(Ring, ItsThreadsDoNotBlockTheCall, Cites("LLK-064")) {
  const Scratch scratch;
  struct Outcome {
    int polled_ring, plain_ring;
    long result;
    bool pending_before, pending_after;
    int read;
    Seen sibling;
  };
  const auto seen = InChild([&] {
    Ring polled(IORING_SETUP_SQPOLL);
    Ring plain(0);
    Sibling sibling;
    Outcome outcome{};
    outcome.polled_ring = polled.Error();
    outcome.plain_ring = plain.Error();
    std::array<int, 2> ends{};
    if (outcome.polled_ring != 0 || outcome.plain_ring != 0 || pipe(ends.data()) != 0)
      return outcome;
    char byte = 0;
    plain.ReadPipeInWorker(ends[0], &byte);
    SleepMs(100);
    outcome.pending_before = plain.Pending();
    outcome.result = RestrictSelf(Ruleset(kFsReadFile).Get(), kTsync);
    SleepMs(100);
    outcome.pending_after = plain.Pending();
    [[maybe_unused]] const ssize_t put = write(ends[1], "x", 1);
    outcome.read = plain.Wait();
    outcome.sibling = sibling.Look(scratch.File());
    return outcome;
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  ASSERT_THAT(seen.value->polled_ring, Eq(0));
  ASSERT_THAT(seen.value->plain_ring, Eq(0));
  EXPECT_TRUE(seen.value->pending_before);
  EXPECT_THAT(seen.value->result, Eq(0));
  EXPECT_TRUE(seen.value->pending_after);
  EXPECT_THAT(seen.value->read, Eq(1));
  EXPECT_THAT(seen.value->sibling, Eq(kNoRead));
}

}  // namespace
}  // namespace kassay::landlock
