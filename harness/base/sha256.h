// SHA-256 (FIPS 180-4) through OpenSSL, as lower-case hexadecimal (64 characters).
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "harness/base/result.h"

namespace kassay {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Update(std::string_view bytes);
  // Ends the computation; the object is spent afterwards.
  [[nodiscard]] std::string Hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

[[nodiscard]] std::string Sha256Hex(std::string_view bytes);
// Fails if the file cannot be read to its end.
[[nodiscard]] Result<std::string> Sha256HexOfFile(const std::filesystem::path& path);

}  // namespace kassay
