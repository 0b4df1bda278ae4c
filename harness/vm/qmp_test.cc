#include "harness/vm/qmp.h"

#include <gtest/gtest.h>

namespace kassay {
namespace {

using Kind = QmpMessage::Kind;

TEST(QmpReader, TellsGreetingAnswersAndEventsApartHoweverTheyAreSplit) {
  const std::string stream =
      "{\"QMP\": {\"version\": {}}}\r\n{\"return\": {\"status\": \"running\"}, \"id\": 7}\r\n"
      "{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"guest-reset\"}}\r\n"
      "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}, \"id\": 8}\r\n";
  for (std::size_t step : {std::size_t{1}, std::size_t{7}, stream.size()}) {
    QmpReader reader;
    std::vector<QmpMessage> all;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      const auto some = reader.Append(std::string_view(stream).substr(at, step));
      ASSERT_TRUE(some) << some.error().message;
      all.insert(all.end(), some->begin(), some->end());
    }
    ASSERT_EQ(all.size(), 4U);
    EXPECT_EQ(all[0].kind, Kind::kGreeting);
    EXPECT_EQ(all[1].kind, Kind::kAnswer);
    EXPECT_EQ(all[1].id, 7);
    EXPECT_EQ(all[1].data.value("status", ""), "running");
    EXPECT_EQ(all[2].event, "SHUTDOWN");
    EXPECT_EQ(all[2].data.value("reason", ""), "guest-reset");
    EXPECT_EQ(all[3].id, 8);
    EXPECT_EQ(all[3].error, "no");
  }
}

TEST(QmpReader, RefusesWhatIsNoMessage) {
  for (const char* line : {"nonsense\n", "[]\n", "{}\n", "{\"id\":1}\n", "\n"}) {
    QmpReader reader;
    EXPECT_FALSE(reader.Append(line)) << line;
  }
}

TEST(QmpReader, RefusesALineWithoutEnd) {
  QmpReader reader;
  EXPECT_TRUE(reader.Append(std::string(std::size_t{1} << 20, ' ')));
  EXPECT_FALSE(reader.Append(" "));
}

TEST(EncodeQmpCommand, IsOneLine) {
  EXPECT_EQ(EncodeQmpCommand("stop", nullptr, 3), "{\"execute\":\"stop\",\"id\":3}\n");
  EXPECT_EQ(EncodeQmpCommand("migrate", {{"uri", "fd:state"}}, 4),
            "{\"arguments\":{\"uri\":\"fd:state\"},\"execute\":\"migrate\",\"id\":4}\n");
}

}  // namespace
}  // namespace kassay
