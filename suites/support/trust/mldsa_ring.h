// The ring of ML-DSA: polynomials of 256 coefficients modulo q, and the samplings and encodings of
// FIPS 204, section 7. Names follow the standard.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "suites/support/trust/mldsa.h"

namespace kassay::trust::ring {

inline constexpr std::int32_t kQ = 8380417;
inline constexpr int kN = 256;
inline constexpr int kD = 13;

using Poly = std::array<std::int32_t, kN>;  // coefficients in [0, q)
using Vector = std::vector<Poly>;

[[nodiscard]] std::string Shake128(std::string_view input, std::size_t bytes);
[[nodiscard]] std::string Shake256(std::string_view input, std::size_t bytes);

// Into [0, q), and into (-q/2, q/2].
[[nodiscard]] std::int32_t Reduce(std::int64_t value);
[[nodiscard]] std::int32_t Centered(std::int32_t value);
[[nodiscard]] std::int32_t MaxAbs(const Vector& vector);

void Ntt(Poly& w);                                          // algorithm 41
void InverseNtt(Poly& w);                                   // algorithm 42
[[nodiscard]] Poly Multiply(const Poly& a, const Poly& b);  // coefficient by coefficient
[[nodiscard]] Poly Add(const Poly& a, const Poly& b);
[[nodiscard]] Poly Subtract(const Poly& a, const Poly& b);

[[nodiscard]] Poly RejNttPoly(std::string_view rho, int row, int column);     // algorithm 30
[[nodiscard]] Poly RejBoundedPoly(std::string_view rho, int index, int eta);  // algorithm 31
[[nodiscard]] Poly SampleInBall(std::string_view ctilde, int tau);            // algorithm 29
[[nodiscard]] Poly ExpandMask(std::string_view rho, int nonce,
                              std::int32_t gamma1);  // algorithm 34

// Algorithms 35 to 40. Low parts are centred.
struct Parts {
  std::int32_t high;
  std::int32_t low;
};
[[nodiscard]] Parts Power2Round(std::int32_t r);
[[nodiscard]] Parts Decompose(std::int32_t r, std::int32_t gamma2);
[[nodiscard]] std::int32_t UseHint(bool hint, std::int32_t r, std::int32_t gamma2);

// Algorithm 16 and its inverse: `bits` bits a coefficient, lowest first.
[[nodiscard]] std::string PackBits(const Poly& w, int bits);
[[nodiscard]] Poly UnpackBits(std::string_view bytes, int bits);

}  // namespace kassay::trust::ring
