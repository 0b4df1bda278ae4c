#include "harness/protocol/frame.h"

#include <gtest/gtest.h>

namespace kassay::protocol {
namespace {

TEST(FrameReader, GivesFramesHoweverTheStreamIsSplit) {
  const std::string stream = EncodeFrame(3, "first") + EncodeFrame(4, "") + EncodeFrame(5, "third");
  for (std::size_t step = 1; step <= stream.size(); ++step) {
    FrameReader reader;
    std::vector<Frame> frames;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      reader.Append(std::string_view(stream).substr(at, step));
      while (true) {
        const auto frame = reader.Next();
        ASSERT_TRUE(frame.has_value());
        if (!frame->has_value()) break;
        frames.push_back(**frame);
      }
    }
    ASSERT_EQ(frames.size(), 3U) << "step " << step;
    EXPECT_EQ(frames[0].type, 3);
    EXPECT_EQ(frames[0].payload, "first");
    EXPECT_EQ(frames[1].payload, "");
    EXPECT_EQ(frames[2].type, 5);
    EXPECT_EQ(frames[2].payload, "third");
  }
}

TEST(FrameReader, TakesTheLargestPayloadAndRefusesOneByteMore) {
  FrameReader largest;
  largest.Append(EncodeFrame(1, std::string(kMaxPayloadBytes, 'x')));
  const auto frame = largest.Next();
  ASSERT_TRUE(frame.has_value() && frame->has_value());
  EXPECT_EQ((*frame)->payload.size(), kMaxPayloadBytes);

  FrameReader larger;
  larger.Append(EncodeFrame(1, std::string(kMaxPayloadBytes + 1, 'x')));
  EXPECT_FALSE(larger.Next().has_value());
}

TEST(FrameReader, RefusesAnAnnouncedLengthBeforeItsBytesArrive) {
  FrameReader reader;
  reader.Append(std::string("\xff\xff\xff\xff\x01", 5));
  EXPECT_FALSE(reader.Next().has_value());
}

}  // namespace
}  // namespace kassay::protocol
