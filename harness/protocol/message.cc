#include "harness/protocol/message.h"

#include <string_view>
#include <type_traits>
#include <utility>

namespace kassay::protocol {
namespace {

// The type byte is the alternative's place in Message plus one; kVersion guards the order.
template <std::size_t I = 0>
Result<Message> DecodeAs(std::uint8_t type, std::string_view payload);

class Writer {
 public:
  void Field(std::uint8_t value) { Number(value); }
  void Field(std::uint32_t value) { Number(value); }
  void Field(std::int32_t value) { Number(static_cast<std::uint32_t>(value)); }
  void Field(std::uint64_t value) { Number(value); }
  void Field(Ended::How how) { Number(static_cast<std::uint8_t>(how)); }
  void Field(const std::array<char, 64>& bytes) { bytes_.append(bytes.data(), bytes.size()); }
  void Text(std::string_view text, std::size_t /*most*/, std::size_t /*least*/ = 0) {
    Number(static_cast<std::uint32_t>(text.size()));
    bytes_ += text;
  }
  template <typename T, typename Each>
  void List(const std::vector<T>& list, std::size_t /*most*/, Each each) {
    Number(static_cast<std::uint32_t>(list.size()));
    for (const T& item : list) each(*this, item);
  }
  void Require(bool /*condition*/, const char* /*what*/) {}
  [[nodiscard]] std::string Take() { return std::move(bytes_); }

 private:
  template <typename T>
  void Number(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i)
      bytes_ += static_cast<char>((static_cast<std::uint64_t>(value) >> (8 * i)) & 0xff);
  }
  std::string bytes_;
};

// Once something is wrong, everything that follows reads as nothing and the first fault stays.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  void Field(std::uint8_t& value) { value = Number<std::uint8_t>(); }
  void Field(std::uint32_t& value) { value = Number<std::uint32_t>(); }
  void Field(std::int32_t& value) { value = static_cast<std::int32_t>(Number<std::uint32_t>()); }
  void Field(std::uint64_t& value) { value = Number<std::uint64_t>(); }
  void Field(Ended::How& how) {
    const auto value = Number<std::uint8_t>();
    Require(value <= static_cast<std::uint8_t>(Ended::How::kNotStarted), "unknown kind of end");
    if (fault_.empty()) how = static_cast<Ended::How>(value);
  }
  void Field(std::array<char, 64>& bytes) {
    const std::string_view taken = Take(bytes.size());
    if (taken.size() == bytes.size()) taken.copy(bytes.data(), bytes.size());
  }
  void Text(std::string& text, std::size_t most, std::size_t least = 0) {
    const auto size = Number<std::uint32_t>();
    Require(size <= most, "a text is longer than allowed");
    Require(size >= least, "a text is missing");
    text = std::string(Take(size));
  }
  template <typename T, typename Each>
  void List(std::vector<T>& list, std::size_t most, Each each) {
    const auto size = Number<std::uint32_t>();
    Require(size <= most, "a list is longer than allowed");
    for (std::uint32_t i = 0; i < size && fault_.empty(); ++i) each(*this, list.emplace_back());
  }
  void Require(bool condition, const char* what) {
    if (!condition && fault_.empty()) fault_ = what;
  }
  [[nodiscard]] std::string Finish() {
    Require(rest_.empty(), "surplus bytes");
    return fault_;
  }

 private:
  std::string_view Take(std::size_t size) {
    Require(size <= rest_.size(), "it ends too early");
    if (!fault_.empty()) return {};
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  template <typename T>
  T Number() {
    const std::string_view taken = Take(sizeof(T));
    std::uint64_t value = 0;
    for (std::size_t i = taken.size(); i > 0; --i)
      value = (value << 8) | static_cast<unsigned char>(taken[i - 1]);
    return static_cast<T>(value);
  }
  std::string_view rest_;
  std::string fault_;
};

// One description of each message serves both directions: `archive` is a Writer or a Reader.
template <typename Archive>
void Describe(Archive& archive, auto& message) {
  using T = std::remove_cvref_t<decltype(message)>;
  if constexpr (std::is_same_v<T, RunRequest>) {
    archive.List(message.argv, kMaxArguments,
                 [](auto& inner, auto& text) { inner.Text(text, kMaxArgumentBytes); });
    archive.Require(!message.argv.empty(), "no program is named");
    archive.Field(message.limit_ms);
    archive.Require(message.limit_ms <= kMaxLimitMs, "the limit is too long");
    archive.Text(message.log_name, kMaxCaseNameBytes);
    archive.Field(message.wall_clock_ns);
    archive.Field(message.entropy);
  } else if constexpr (std::is_same_v<T, Ping> || std::is_same_v<T, Pong>) {
    archive.Field(message.token);
  } else if constexpr (std::is_same_v<T, Hello>) {
    archive.Field(message.version);
    archive.Text(message.kernel_release, 256, 1);
    archive.Field(message.uptime_ms);
    archive.List(message.module_failures, kMaxModules, [](auto& inner, auto& failure) {
      inner.Text(failure.path, kMaxTextBytes);
      inner.Field(failure.error_number);
    });
    archive.List(message.troubles, kMaxModules,
                 [](auto& inner, auto& text) { inner.Text(text, kMaxTextBytes); });
  } else if constexpr (std::is_same_v<T, Record>) {
    archive.Text(message.line, kMaxRecordBytes);
    archive.Require(message.line.find('\n') == std::string::npos, "a record of several lines");
  } else if constexpr (std::is_same_v<T, Output>) {
    archive.Text(message.bytes, kMaxOutputBytes);
  } else if constexpr (std::is_same_v<T, Ended>) {
    archive.Field(message.how);
    archive.Field(message.status);
    const bool signalled = message.how == Ended::How::kSignalled;
    archive.Require(message.status >= (signalled ? 1 : 0) &&
                        message.status <= (signalled                                ? 64
                                           : message.how == Ended::How::kNotStarted ? 4095
                                                                                    : 255),
                    "a status that no program can have");
    archive.Text(message.detail, kMaxTextBytes);
  } else if constexpr (std::is_same_v<T, KernelLine>) {
    archive.Field(message.level);
    archive.Require(message.level <= 7, "an unknown log level");
    archive.Field(message.microseconds);
    archive.Text(message.text, kMaxKernelLineBytes);
  } else {
    static_assert(std::is_same_v<T, Done>);
    archive.Field(message.taint_before);
    archive.Field(message.taint_after);
    archive.Field(message.lost_kernel_lines);
  }
}

template <std::size_t I>
Result<Message> DecodeAs(std::uint8_t type, std::string_view payload) {
  if constexpr (I == std::variant_size_v<Message>) {
    return Fail("a message of unknown type " + std::to_string(type));
  } else {
    if (type != I + 1) return DecodeAs<I + 1>(type, payload);
    std::variant_alternative_t<I, Message> message;
    Reader reader(payload);
    Describe(reader, message);
    if (const std::string fault = reader.Finish(); !fault.empty())
      return Fail("a message of type " + std::to_string(type) + ": " + fault);
    return Message(std::move(message));
  }
}

}  // namespace

std::string Encode(const Message& message) {
  Writer writer;
  std::visit([&writer](const auto& alternative) { Describe(writer, alternative); }, message);
  return EncodeFrame(static_cast<std::uint8_t>(message.index() + 1), writer.Take());
}

Result<Message> Decode(const Frame& frame) { return DecodeAs<0>(frame.type, frame.payload); }

}  // namespace kassay::protocol
