#include "harness/vm/qmp.h"

namespace kassay {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kMaxLineBytes = std::size_t{1} << 20;

Result<QmpMessage> ParseLine(std::string_view line) {
  const Json object = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return Fail("QEMU's monitor sent what is no JSON object");
  QmpMessage message;
  if (object.contains("QMP")) {
    message.kind = QmpMessage::Kind::kGreeting;
    return message;
  }
  if (object.contains("event")) {
    message.event = TextOf(object, "event");
    if (const auto data = object.find("data"); data != object.end()) message.data = *data;
    return message;
  }
  message.kind = QmpMessage::Kind::kAnswer;
  if (const auto id = object.find("id"); id != object.end() && id->is_number_integer())
    message.id = id->get<int>();
  if (const auto error = object.find("error"); error != object.end() && error->is_object()) {
    message.error = TextOf(*error, "desc");
    if (message.error.empty()) message.error = "an error without a description";
    return message;
  }
  const auto value = object.find("return");
  if (value == object.end()) return Fail("QEMU's monitor sent an answer without a value");
  message.data = *value;
  return message;
}

}  // namespace

std::string TextOf(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string EncodeQmpCommand(const std::string& command, const Json& arguments, int id) {
  Json object = {{"execute", command}, {"id", id}};
  if (!arguments.is_null()) object["arguments"] = arguments;
  return object.dump() + "\n";
}

Result<std::vector<QmpMessage>> QmpReader::Append(std::string_view bytes) {
  buffer_ += bytes;
  std::vector<QmpMessage> messages;
  std::size_t start = 0;
  for (std::size_t end = buffer_.find('\n'); end != std::string::npos;
       start = end + 1, end = buffer_.find('\n', start)) {
    KASSAY_TRY(auto message, ParseLine(std::string_view(buffer_).substr(start, end - start)));
    messages.push_back(std::move(message));
  }
  buffer_.erase(0, start);
  if (buffer_.size() > kMaxLineBytes) return Fail("QEMU's monitor sent a line without end");
  return messages;
}

}  // namespace kassay
