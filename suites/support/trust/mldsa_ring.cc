#include "suites/support/trust/mldsa_ring.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>

namespace kassay::trust::ring {
namespace {

std::string Shake(const EVP_MD* kind, std::string_view input, std::size_t bytes) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  std::string output(bytes, '\0');
  const bool done = context && EVP_DigestInit_ex(context.get(), kind, nullptr) == 1 &&
                    EVP_DigestUpdate(context.get(), input.data(), input.size()) == 1 &&
                    EVP_DigestFinalXOF(context.get(),
                                       reinterpret_cast<unsigned char*>(output.data()), bytes) == 1;
  if (!done) std::abort();  // only without memory or without SHAKE in libcrypto
  return output;
}

std::uint8_t Byte(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

std::string LittleEndian16(std::string_view prefix, int value) {
  std::string bytes(prefix);
  bytes += static_cast<char>(value & 0xff);
  bytes += static_cast<char>(value >> 8);
  return bytes;
}

// zeta^brv(m) for m in [0, 256); zeta = 1753 is a 512th root of unity modulo q.
const std::array<std::int32_t, kN>& Zetas() {
  static const auto zetas = [] {
    std::array<std::int32_t, kN> powers{};
    std::int64_t power = 1;
    std::array<std::int32_t, kN> by_exponent{};
    for (auto& value : by_exponent) {
      value = static_cast<std::int32_t>(power);
      power = power * 1753 % kQ;
    }
    for (unsigned m = 0; m < kN; ++m) {
      unsigned reversed = 0;
      for (unsigned bit = 0; bit < 8; ++bit) reversed |= ((m >> bit) & 1U) << (7U - bit);
      powers[m] = by_exponent[reversed];
    }
    return powers;
  }();
  return zetas;
}

}  // namespace

std::string Shake128(std::string_view input, std::size_t bytes) {
  return Shake(EVP_shake128(), input, bytes);
}
std::string Shake256(std::string_view input, std::size_t bytes) {
  return Shake(EVP_shake256(), input, bytes);
}

std::int32_t Reduce(std::int64_t value) {
  const auto rest = static_cast<std::int32_t>(value % kQ);
  return rest < 0 ? rest + kQ : rest;
}
std::int32_t Centered(std::int32_t value) { return value > kQ / 2 ? value - kQ : value; }

std::int32_t MaxAbs(const Vector& vector) {
  std::int32_t most = 0;
  for (const Poly& poly : vector) {
    for (const std::int32_t value : poly) most = std::max(most, std::abs(Centered(value)));
  }
  return most;
}

void Ntt(Poly& w) {
  unsigned m = 0;
  for (std::size_t len = 128; len >= 1; len /= 2) {
    for (std::size_t start = 0; start < kN; start += 2 * len) {
      const std::int64_t zeta = Zetas()[++m];
      for (std::size_t j = start; j < start + len; ++j) {
        const auto t = static_cast<std::int32_t>(zeta * w[j + len] % kQ);
        w[j + len] = Reduce(w[j] - t);
        w[j] = Reduce(w[j] + t);
      }
    }
  }
}

void InverseNtt(Poly& w) {
  unsigned m = kN;
  for (std::size_t len = 1; len < kN; len *= 2) {
    for (std::size_t start = 0; start < kN; start += 2 * len) {
      const std::int64_t zeta = kQ - Zetas()[--m];
      for (std::size_t j = start; j < start + len; ++j) {
        const std::int32_t t = w[j];
        w[j] = Reduce(t + w[j + len]);
        w[j + len] = static_cast<std::int32_t>(zeta * Reduce(t - w[j + len]) % kQ);
      }
    }
  }
  for (auto& value : w) value = static_cast<std::int32_t>(std::int64_t{8347681} * value % kQ);
}

Poly Multiply(const Poly& a, const Poly& b) {
  Poly product{};
  for (std::size_t i = 0; i < kN; ++i)
    product[i] = static_cast<std::int32_t>(std::int64_t{a[i]} * b[i] % kQ);
  return product;
}
Poly Add(const Poly& a, const Poly& b) {
  Poly sum{};
  for (std::size_t i = 0; i < kN; ++i) sum[i] = Reduce(a[i] + b[i]);
  return sum;
}
Poly Subtract(const Poly& a, const Poly& b) {
  Poly difference{};
  for (std::size_t i = 0; i < kN; ++i) difference[i] = Reduce(a[i] - b[i]);
  return difference;
}

Poly RejNttPoly(std::string_view rho, int row, int column) {
  std::string seed(rho);
  seed += static_cast<char>(column);
  seed += static_cast<char>(row);
  // 256 coefficients need about 770 bytes; nine blocks more make running out practically
  // impossible.
  const std::string stream = Shake128(seed, std::size_t{168} * 14);
  Poly poly{};
  std::size_t filled = 0;
  for (std::size_t at = 0; filled < kN && at + 3 <= stream.size(); at += 3) {
    const std::int32_t value =
        Byte(stream, at) | Byte(stream, at + 1) << 8 | (Byte(stream, at + 2) & 0x7f) << 16;
    if (value < kQ) poly[filled++] = value;
  }
  if (filled < kN) std::abort();
  return poly;
}

Poly RejBoundedPoly(std::string_view rho, int index, int eta) {
  const std::string stream = Shake256(LittleEndian16(rho, index), 136 * 8);
  Poly poly{};
  std::size_t filled = 0;
  const auto take = [&](int half) {
    if (filled == kN) return;
    if (eta == 2 && half < 15) poly[filled++] = Reduce(2 - half % 5);
    if (eta == 4 && half < 9) poly[filled++] = Reduce(4 - half);
  };
  for (std::size_t at = 0; filled < kN && at < stream.size(); ++at) {
    take(Byte(stream, at) & 15);
    take(Byte(stream, at) >> 4);
  }
  if (filled < kN) std::abort();
  return poly;
}

Poly SampleInBall(std::string_view ctilde, int tau) {
  const std::string stream = Shake256(ctilde, 136 * 8);
  Poly poly{};
  std::size_t at = 8;
  for (int i = kN - tau; i < kN; ++i) {
    while (Byte(stream, at) > i) ++at;
    const std::size_t j = Byte(stream, at++);
    const auto sign = static_cast<std::size_t>(i + tau - kN);
    const bool negative = (Byte(stream, sign / 8) >> (sign % 8) & 1) != 0;
    poly[static_cast<std::size_t>(i)] = poly[j];
    poly[j] = negative ? kQ - 1 : 1;
  }
  return poly;
}

Poly ExpandMask(std::string_view rho, int nonce, std::int32_t gamma1) {
  const int bits = gamma1 == (1 << 17) ? 18 : 20;
  Poly poly =
      UnpackBits(Shake256(LittleEndian16(rho, nonce), static_cast<std::size_t>(32 * bits)), bits);
  for (auto& value : poly) value = Reduce(gamma1 - value);
  return poly;
}

Parts Power2Round(std::int32_t r) {
  std::int32_t low = r & ((1 << kD) - 1);
  if (low > 1 << (kD - 1)) low -= 1 << kD;
  return {(r - low) >> kD, low};
}

Parts Decompose(std::int32_t r, std::int32_t gamma2) {
  std::int32_t low = r % (2 * gamma2);
  if (low > gamma2) low -= 2 * gamma2;
  if (r - low == kQ - 1) return {0, low - 1};
  return {(r - low) / (2 * gamma2), low};
}

std::int32_t UseHint(bool hint, std::int32_t r, std::int32_t gamma2) {
  const std::int32_t m = (kQ - 1) / (2 * gamma2);
  const Parts parts = Decompose(r, gamma2);
  if (!hint) return parts.high;
  return (parts.high + (parts.low > 0 ? 1 : m - 1)) % m;
}

std::string PackBits(const Poly& w, int bits) {
  std::string bytes;
  std::uint64_t pending = 0;
  int held = 0;
  for (const std::int32_t value : w) {
    pending |= static_cast<std::uint64_t>(value) << held;
    for (held += bits; held >= 8; held -= 8, pending >>= 8)
      bytes += static_cast<char>(pending & 0xff);
  }
  return bytes;
}

Poly UnpackBits(std::string_view bytes, int bits) {
  Poly w{};
  std::uint64_t pending = 0;
  int held = 0;
  std::size_t at = 0;
  for (auto& value : w) {
    for (; held < bits; held += 8) pending |= static_cast<std::uint64_t>(Byte(bytes, at++)) << held;
    value = static_cast<std::int32_t>(pending & ((std::uint64_t{1} << bits) - 1));
    pending >>= bits;
    held -= bits;
  }
  return w;
}

}  // namespace kassay::trust::ring
