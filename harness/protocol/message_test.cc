#include "harness/protocol/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kassay::protocol {
namespace {

Frame OnlyFrame(const std::string& bytes) {
  FrameReader reader;
  reader.Append(bytes);
  auto frame = reader.Next();
  return frame && *frame ? **frame : Frame{};
}

std::vector<Message> OneOfEach() {
  RunRequest run{
      {"/kassay/suites/io_uring", "--gtest_filter=Ring.*"}, 30000, "io_uring.Ring.Name", 1234, {}};
  run.entropy.fill('\x7f');
  return {
      run,
      Ping{7},
      Hello{kVersion, "7.0.13", 2500, {{"/lib/modules/a.ko", -2}}, {"no bpffs: No such device"}},
      Pong{7},
      Record{"{\"type\":\"case_start\"}"},
      Output{std::string("a\0b\n", 4)},
      Ended{Ended::How::kSignalled, 11, ""},
      KernelLine{4, 123456789, "WARNING: CPU: 0"},
      Done{0, 512, 3}};
}

TEST(Message, ArrivesAsItWasSent) {
  for (const Message& message : OneOfEach()) {
    const auto decoded = Decode(OnlyFrame(Encode(message)));
    ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
    EXPECT_EQ(*decoded, message);
  }
}

TEST(Message, CutShortAnywhereIsRefused) {
  for (const Message& message : OneOfEach()) {
    const Frame whole = OnlyFrame(Encode(message));
    for (std::size_t size = 0; size < whole.payload.size(); ++size) {
      EXPECT_FALSE(Decode({whole.type, whole.payload.substr(0, size)}).has_value())
          << "type " << int{whole.type} << " cut to " << size;
    }
  }
}

TEST(Message, WithSurplusBytesIsRefused) {
  for (const Message& message : OneOfEach()) {
    Frame frame = OnlyFrame(Encode(message));
    frame.payload += 'x';
    EXPECT_FALSE(Decode(frame).has_value()) << "type " << int{frame.type};
  }
}

TEST(Message, OfUnknownTypeIsRefused) {
  EXPECT_FALSE(Decode({0, ""}).has_value());
  EXPECT_FALSE(Decode({std::variant_size_v<Message> + 1, ""}).has_value());
  EXPECT_FALSE(Decode({255, ""}).has_value());
}

bool Passes(const Message& message) { return Decode(OnlyFrame(Encode(message))).has_value(); }

TEST(Message, KeepsItsBounds) {
  EXPECT_TRUE(Passes(Record{std::string(kMaxRecordBytes, 'x')}));
  EXPECT_FALSE(Passes(Record{std::string(kMaxRecordBytes + 1, 'x')}));
  EXPECT_FALSE(Passes(Record{"two\nlines"}));
  EXPECT_TRUE(Passes(Output{std::string(kMaxOutputBytes, 'x')}));
  EXPECT_FALSE(Passes(Output{std::string(kMaxOutputBytes + 1, 'x')}));
  EXPECT_TRUE(Passes(KernelLine{7, 0, std::string(kMaxKernelLineBytes, 'x')}));
  EXPECT_FALSE(Passes(KernelLine{7, 0, std::string(kMaxKernelLineBytes + 1, 'x')}));
  EXPECT_FALSE(Passes(KernelLine{8, 0, ""}));
  EXPECT_FALSE(Passes(Hello{kVersion, "", 0, {}, {}}));
  EXPECT_FALSE(Passes(Hello{kVersion, "7.0", 0, {}, std::vector<std::string>(kMaxModules + 1)}));
  EXPECT_FALSE(Passes(RunRequest{}));
}

TEST(Message, HasAStatusThatAProgramCanHave) {
  EXPECT_TRUE(Passes(Ended{Ended::How::kExited, 0, ""}));
  EXPECT_TRUE(Passes(Ended{Ended::How::kExited, 255, ""}));
  EXPECT_FALSE(Passes(Ended{Ended::How::kExited, 256, ""}));
  EXPECT_FALSE(Passes(Ended{Ended::How::kExited, -1, ""}));
  EXPECT_TRUE(Passes(Ended{Ended::How::kSignalled, 64, ""}));
  EXPECT_FALSE(Passes(Ended{Ended::How::kSignalled, 65, ""}));
  EXPECT_FALSE(Passes(Ended{Ended::How::kSignalled, 0, ""}));
  Frame frame = OnlyFrame(Encode(Ended{}));
  frame.payload[0] = 4;
  EXPECT_FALSE(Decode(frame).has_value());
}

}  // namespace
}  // namespace kassay::protocol
