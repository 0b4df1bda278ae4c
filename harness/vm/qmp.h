// QEMU's machine protocol (docs/interop/qmp-spec): JSON objects, one a line. Only the lines; who
// waits for what is the machine's affair.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace kassay {

// One line for the socket. `id` comes back in the answer.
[[nodiscard]] std::string EncodeQmpCommand(const std::string& command,
                                           const nlohmann::json& arguments, int id);

// The text of a field; empty if there is none, or another kind of value.
[[nodiscard]] std::string TextOf(const nlohmann::json& object, const char* key);

// NOLINTNEXTLINE(bugprone-exception-escape): of nlohmann::json, whose move does not throw
struct QmpMessage {
  enum class Kind { kGreeting, kAnswer, kEvent };
  Kind kind = Kind::kEvent;
  int id = 0;           // of an answer
  std::string error;    // of an answer: empty when it went well
  std::string event;    // its name
  nlohmann::json data;  // "return" of an answer, "data" of an event; null if there was none
};

// Cuts the stream into messages. Fails on what is no JSON object of a known kind and on a line
// longer than a mebibyte: QEMU is taken over by a guest in the worst case.
class QmpReader {
 public:
  [[nodiscard]] Result<std::vector<QmpMessage>> Append(std::string_view bytes);

 private:
  std::string buffer_;
};

}  // namespace kassay
