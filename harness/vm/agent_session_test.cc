// The conversation with an agent that a test plays at the other end of a socket pair: no QEMU.
#include "harness/vm/agent_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "harness/base/interrupt.h"
#include "harness/base/process/pipe.h"

namespace kassay {
namespace {

using End = GuestOutcome::End;
using protocol::Encode;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A machine whose time passes only when nothing happens: then it jumps to the deadline.
class TestCarrier : public Carrier {
 public:
  Clock::time_point now;
  bool over = false;
  std::function<void()> on_wait;  // what the other end does meanwhile
  std::optional<End> at_deadline = End::kSilent;
  std::vector<Clock::time_point> deadlines;  // that were waited for

  Clock::time_point Now() const override { return now; }
  Status Wait(const pollfd& agent, Clock::time_point deadline) override {
    deadlines.push_back(deadline);
    if (on_wait) on_wait();
    if (Interrupted()) return Fail(Interruption());
    pollfd ready = agent;
    if (::poll(&ready, 1, 0) == 0) now = deadline;
    return {};
  }
  bool IsOver() const override { return over; }
  Result<std::optional<End>> CutShort(Clock::time_point deadline) override {
    return now < deadline ? std::nullopt : at_deadline;
  }
};

class AgentSessionTest : public ::testing::Test {
 protected:
  AgentSessionTest() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    session_.emplace(UniqueFd(ends[0]));
    agent_.Reset(ends[1]);
  }
  ~AgentSessionTest() override { ClearInterruptForTesting(); }

  void Say(const std::string& bytes) const {
    ASSERT_EQ(::send(agent_.Get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // What the host has asked for, once it is there whole.
  std::optional<protocol::RunRequest> Heard() {
    Drain(agent_, [this](std::string_view bytes) { heard_.Append(bytes); });
    const auto frame = heard_.Next();
    if (!frame || !*frame) return std::nullopt;
    const auto message = protocol::Decode(**frame);
    return message ? std::optional(std::get<protocol::RunRequest>(*message)) : std::nullopt;
  }
  // Answers the next request with these bytes.
  void Answer(const std::string& bytes) {
    carrier_.on_wait = [this, bytes] {
      if (const auto request = Heard()) {
        request_ = *request;
        Say(bytes);
      }
    };
  }
  AgentSession::Greeting Hello() {
    const auto greeting = session_->WaitForHello(carrier_, carrier_.now + seconds(30));
    EXPECT_TRUE(greeting) << greeting.error().message;
    return greeting ? *greeting : AgentSession::Greeting();
  }
  GuestOutcome Run(std::vector<std::string> argv = {"/bin/true"}) {
    auto outcome = session_->Run(carrier_, {std::move(argv), seconds(5), "Suite.Case"}, {});
    EXPECT_TRUE(outcome) << outcome.error().message;
    return outcome ? *outcome : GuestOutcome();
  }

  TestCarrier carrier_;
  std::optional<AgentSession> session_;
  UniqueFd agent_;
  protocol::FrameReader heard_;
  protocol::RunRequest request_;
};

const std::string kDone =
    Encode(protocol::Ended{protocol::Ended::How::kExited, 3, ""}) + Encode(protocol::Done{});

TEST_F(AgentSessionTest, HearsTheHelloHoweverItIsSplit) {
  std::string rest = Encode(protocol::Hello{protocol::kVersion, "7.0.13", 5, {}, {}});
  carrier_.on_wait = [&] {
    Say(rest.substr(0, 3));
    rest.erase(0, 3);
  };
  const auto greeting = Hello();
  ASSERT_TRUE(greeting.hello);
  EXPECT_EQ(greeting.hello->kernel_release, "7.0.13");
  EXPECT_EQ(greeting.lie, "");
  EXPECT_GT(carrier_.deadlines.size(), 2U);
}

TEST_F(AgentSessionTest, TellsHowAGuestLiesBeforeItsHello) {
  Say(Encode(protocol::Pong{1}));
  EXPECT_EQ(Hello().lie, "the guest spoke before its hello");
  Say(std::string("\x00\x00\x00\x00\x63", 5));
  EXPECT_THAT(Hello().lie, HasSubstr("broke the protocol"));
}

TEST_F(AgentSessionTest, WaitsForTheHelloUntilItsLimitOrTheMachinesEnd) {
  const auto start = carrier_.now;
  EXPECT_FALSE(Hello().hello);
  EXPECT_EQ(carrier_.now, start + seconds(30));
  carrier_.over = true;
  carrier_.on_wait = [&] { carrier_.now -= seconds(1); };
  EXPECT_FALSE(Hello().hello);
  EXPECT_EQ(carrier_.deadlines.size(), 2U);
}

TEST_F(AgentSessionTest, HasAProgramRunAndHearsItOut) {
  Answer(Encode(protocol::Record{"one"}) + Encode(protocol::Output{"said\n"}) + kDone);
  const GuestOutcome outcome = Run({"/bin/probe", "x"});
  EXPECT_THAT(request_.argv, ElementsAre("/bin/probe", "x"));
  EXPECT_EQ(request_.limit_ms, 5000U);
  EXPECT_EQ(request_.log_name, "Suite.Case");
  EXPECT_EQ(outcome.end, End::kExited);
  EXPECT_EQ(outcome.status, 3);
  EXPECT_THAT(outcome.records, ElementsAre("one"));
  EXPECT_EQ(outcome.output, "said\n");
  EXPECT_EQ(outcome.detail, "");
}

TEST_F(AgentSessionTest, EachRequestHasTimeAndRandomnessOfItsOwn) {
  Answer(kDone);
  Run();
  const protocol::RunRequest first = request_;
  Run();
  EXPECT_NE(request_.entropy, first.entropy);
  EXPECT_GT(request_.wall_clock_ns, first.wall_clock_ns);
}

TEST_F(AgentSessionTest, WhatWasSaidBeforeTheRequestIsNoneOfTheRun) {
  Say(Encode(protocol::Record{"stale"}) + kDone);
  Answer(Encode(protocol::Record{"fresh"}) + kDone);
  EXPECT_THAT(Run().records, ElementsAre("fresh"));
}

TEST_F(AgentSessionTest, ARequestGoesOutAsTheSocketTakesIt) {
  const std::vector<std::string> argv(30, std::string(4000, 'x'));
  const int small = 4096;
  ASSERT_EQ(::setsockopt(agent_.Get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
  Answer(kDone);
  EXPECT_EQ(Run(argv).end, End::kExited);
  EXPECT_EQ(request_.argv, argv);
}

TEST_F(AgentSessionTest, SilenceEndsTheRunAGraceAfterItsLimit) {
  const auto start = carrier_.now;
  EXPECT_EQ(Run().end, End::kSilent);
  EXPECT_EQ(carrier_.now, start + seconds(5) + kAgentGrace);
  carrier_.at_deadline = End::kKernelDied;
  EXPECT_EQ(Run().end, End::kKernelDied);
}

TEST_F(AgentSessionTest, ALieEndsTheRun) {
  Answer(Encode(protocol::Record{"one"}) + Encode(protocol::Done{}) + kDone);
  const GuestOutcome outcome = Run();
  EXPECT_EQ(outcome.end, End::kLied);
  EXPECT_THAT(outcome.detail, HasSubstr("broke the protocol: an end of the run before"));
  EXPECT_THAT(outcome.records, ElementsAre("one"));
}

TEST_F(AgentSessionTest, AnAgentThatHangsUpIsSilent) {
  carrier_.on_wait = [&] { agent_.Reset(); };
  EXPECT_EQ(Run().end, End::kSilent);
}

TEST_F(AgentSessionTest, CtrlCEndsTheConversation) {
  carrier_.on_wait = [] { RequestInterrupt(); };
  EXPECT_EQ(session_->WaitForHello(carrier_, carrier_.now + seconds(30)).error().kind,
            ErrorKind::kInterrupted);
  EXPECT_EQ(session_->Run(carrier_, {{"/bin/true"}, seconds(5), "x"}, {}).error().kind,
            ErrorKind::kInterrupted);
}

TEST_F(AgentSessionTest, ACommandThatDoesNotFitIsRefusedBeforeAnythingIsSent) {
  const GuestCommand none{{}, seconds(5), "x"};
  const GuestCommand too_long{{std::string(protocol::kMaxArgumentBytes + 1, 'x')}, seconds(5), "x"};
  const GuestCommand two_words{{std::string("a\0b", 3)}, seconds(5), "x"};
  for (const GuestCommand& command : {none, too_long, two_words})
    EXPECT_EQ(session_->Run(carrier_, command, {}).error().kind, ErrorKind::kUsage);
  EXPECT_FALSE(Heard());
  EXPECT_THAT(carrier_.deadlines, IsEmpty());
}

}  // namespace
}  // namespace kassay
