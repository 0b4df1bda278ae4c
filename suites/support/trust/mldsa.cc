#include "suites/support/trust/mldsa.h"

#include <array>
#include <cstdlib>

#include "suites/support/trust/mldsa_ring.h"

namespace kassay::trust {
namespace {

using namespace ring;  // NOLINT(google-build-using-namespace): the standard's own vocabulary

constexpr std::array<MlDsaParameters, 3> kParameters = {{
    {"ML-DSA-44", "mldsa44", "2.16.840.1.101.3.4.3.17", 4, 4, 2, 39, 80, 1 << 17, (kQ - 1) / 88, 32,
     1312, 2420},
    {"ML-DSA-65", "mldsa65", "2.16.840.1.101.3.4.3.18", 6, 5, 4, 49, 55, 1 << 19, (kQ - 1) / 32, 48,
     1952, 3309},
    {"ML-DSA-87", "mldsa87", "2.16.840.1.101.3.4.3.19", 8, 7, 2, 60, 75, 1 << 19, (kQ - 1) / 32, 64,
     2592, 4627},
}};

using Matrix = std::vector<Vector>;

Matrix ExpandA(std::string_view rho, const MlDsaParameters& p) {
  Matrix a(static_cast<std::size_t>(p.k));
  for (int row = 0; row < p.k; ++row) {
    for (int column = 0; column < p.l; ++column)
      a[static_cast<std::size_t>(row)].push_back(RejNttPoly(rho, row, column));
  }
  return a;
}

// A * v in the NTT domain.
Vector Times(const Matrix& a, const Vector& v) {
  Vector product(a.size());
  for (std::size_t row = 0; row < a.size(); ++row) {
    for (std::size_t column = 0; column < v.size(); ++column)
      product[row] = Add(product[row], Multiply(a[row][column], v[column]));
  }
  return product;
}

// c * v, back from the NTT domain.
Vector Times(const Poly& c, const Vector& v) {
  Vector product;
  for (const Poly& poly : v) {
    product.push_back(Multiply(c, poly));
    InverseNtt(product.back());
  }
  return product;
}

Vector ToNtt(Vector v) {
  for (Poly& poly : v) Ntt(poly);
  return v;
}

std::string EncodeW1(const Vector& w1, const MlDsaParameters& p) {
  std::string bytes;
  for (const Poly& poly : w1) bytes += PackBits(poly, p.gamma2 == (kQ - 1) / 88 ? 6 : 4);
  return bytes;
}

}  // namespace

const MlDsaParameters& ParametersOf(MlDsaSet set) {
  return kParameters[static_cast<std::size_t>(set)];
}

struct MlDsaKey::Secret {
  Matrix a;
  Vector s1, s2, t0;  // in the NTT domain
  std::string k, tr;
};

MlDsaKey::MlDsaKey(MlDsaSet set, std::string_view seed)
    : set_(set), secret_(std::make_unique<Secret>()) {
  const MlDsaParameters& p = parameters();
  std::string input(seed);
  input += static_cast<char>(p.k);
  input += static_cast<char>(p.l);
  const std::string expanded = Shake256(input, 128);
  const std::string_view rho = std::string_view(expanded).substr(0, 32);
  const std::string_view rho_prime = std::string_view(expanded).substr(32, 64);
  Secret& secret = *secret_;
  secret.k = expanded.substr(96, 32);
  secret.a = ExpandA(rho, p);
  Vector s2;
  for (int r = 0; r < p.l; ++r) secret.s1.push_back(RejBoundedPoly(rho_prime, r, p.eta));
  for (int r = 0; r < p.k; ++r) s2.push_back(RejBoundedPoly(rho_prime, p.l + r, p.eta));
  secret.s1 = ToNtt(secret.s1);
  Vector t = Times(secret.a, secret.s1);
  public_key_ = rho;
  for (std::size_t row = 0; row < t.size(); ++row) {
    InverseNtt(t[row]);
    t[row] = Add(t[row], s2[row]);
    Poly high{};
    Poly low{};
    for (std::size_t i = 0; i < kN; ++i) {
      const Parts parts = Power2Round(t[row][i]);
      high[i] = parts.high;
      low[i] = Reduce(parts.low);
    }
    public_key_ += PackBits(high, 10);
    secret.t0.push_back(low);
  }
  secret.s2 = ToNtt(s2);
  secret.t0 = ToNtt(secret.t0);
  secret.tr = Shake256(public_key_, 64);
}

MlDsaKey::~MlDsaKey() = default;
MlDsaKey::MlDsaKey(MlDsaKey&&) noexcept = default;
MlDsaKey& MlDsaKey::operator=(MlDsaKey&&) noexcept = default;

bool MlDsaKey::IsValid(const MlDsaAttempt& attempt) const {
  return attempt.z_bound < parameters().gamma1 - parameters().beta();
}

std::string EncodeMessage(std::string_view message, std::string_view context) {
  std::string encoded(1, '\0');
  encoded += static_cast<char>(context.size());
  encoded += context;
  encoded += message;
  return encoded;
}

std::string MlDsaKey::Sign(std::string_view message, std::string_view context) const {
  auto signature = SignEncoded(EncodeMessage(message, context),
                               [this](const MlDsaAttempt& attempt) { return IsValid(attempt); });
  if (!signature) std::abort();  // 4000 turns in a row rejected: the arithmetic is broken
  return *std::move(signature);
}

namespace {

// The hint as algorithm 20 packs it: the indices of each row, then where each row's indices end.
std::string PackHint(const std::vector<std::vector<int>>& rows, const MlDsaParameters& p) {
  std::string packed(static_cast<std::size_t>(p.omega + p.k), '\0');
  std::size_t at = 0;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (const int index : rows[row]) packed[at++] = static_cast<char>(index);
    packed[static_cast<std::size_t>(p.omega) + row] = static_cast<char>(at);
  }
  return packed;
}

// MakeHint for a whole vector: where the high part changes when c*t0 is added. nullopt: cannot be
// packed.
struct Hint {
  std::vector<std::vector<int>> rows;
  int weight = 0;
};
Hint MakeHint(const Vector& r, const Vector& ct0, const MlDsaParameters& p) {
  Hint hint;
  for (std::size_t row = 0; row < r.size(); ++row) {
    hint.rows.emplace_back();
    for (std::size_t i = 0; i < kN; ++i) {
      const std::int32_t before = Decompose(r[row][i], p.gamma2).high;
      const std::int32_t after = Decompose(Reduce(r[row][i] + ct0[row][i]), p.gamma2).high;
      if (before == after) continue;
      hint.rows.back().push_back(static_cast<int>(i));
      ++hint.weight;
    }
  }
  return hint;
}

std::int32_t MaxAbsLow(const Vector& r, std::int32_t gamma2) {
  std::int32_t most = 0;
  for (const Poly& poly : r) {
    for (const std::int32_t value : poly)
      most = std::max(most, std::abs(Decompose(value, gamma2).low));
  }
  return most;
}

}  // namespace

std::optional<std::string> MlDsaKey::SignEncoded(std::string_view m_prime,
                                                 const MlDsaChoice& choose, int turns) const {
  const MlDsaParameters& p = parameters();
  const Secret& secret = *secret_;
  const std::string mu = Shake256(secret.tr + std::string(m_prime), 64);
  const std::string rho = Shake256(secret.k + std::string(32, '\0') + mu, 64);
  for (int turn = 0; turn < turns; ++turn) {
    Vector y;
    for (int r = 0; r < p.l; ++r) y.push_back(ExpandMask(rho, turn * p.l + r, p.gamma1));
    Vector w = Times(secret.a, ToNtt(y));
    Vector w1 = w;
    for (std::size_t row = 0; row < w.size(); ++row) {
      InverseNtt(w[row]);
      for (std::size_t i = 0; i < kN; ++i) w1[row][i] = Decompose(w[row][i], p.gamma2).high;
    }
    const std::string ctilde =
        Shake256(mu + EncodeW1(w1, p), static_cast<std::size_t>(p.ctilde_bytes));
    Poly c = SampleInBall(ctilde, p.tau);
    Ntt(c);
    const Vector cs1 = Times(c, secret.s1);
    const Vector cs2 = Times(c, secret.s2);
    const Vector ct0 = Times(c, secret.t0);
    Vector z = y;
    Vector r = w;
    for (std::size_t i = 0; i < z.size(); ++i) z[i] = Add(y[i], cs1[i]);
    for (std::size_t i = 0; i < r.size(); ++i) r[i] = Subtract(w[i], cs2[i]);
    if (MaxAbsLow(r, p.gamma2) >= p.gamma2 - p.beta()) continue;
    const Hint hint = MakeHint(r, ct0, p);
    if (MaxAbs(ct0) >= p.gamma2 || hint.weight > p.omega) continue;
    const std::int32_t bound = MaxAbs(z);
    if (bound >= p.gamma1) continue;  // cannot be encoded
    if (!choose({bound, hint.weight, turn * p.l})) continue;
    std::string signature = ctilde;
    for (Poly& poly : z) {
      for (auto& value : poly) value = p.gamma1 - Centered(value);
      signature += PackBits(poly, p.z_bits());
    }
    return signature + PackHint(hint.rows, p);
  }
  return std::nullopt;
}

namespace {

// Algorithm 21 with the checks that `leniency` leaves out left out; empty if malformed.
std::optional<std::vector<std::array<bool, kN>>> UnpackHint(std::string_view packed,
                                                            const MlDsaParameters& p,
                                                            const MlDsaLeniency& leniency) {
  std::vector<std::array<bool, kN>> rows(static_cast<std::size_t>(p.k));
  std::size_t at = 0;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto end = static_cast<std::uint8_t>(packed[static_cast<std::size_t>(p.omega) + row]);
    if (end < at || end > p.omega) return std::nullopt;
    for (const std::size_t first = at; at < end; ++at) {
      const auto index = static_cast<std::uint8_t>(packed[at]);
      const bool rises = at == first || static_cast<std::uint8_t>(packed[at - 1]) < index;
      if (!rises && !leniency.hint_order) return std::nullopt;
      rows[row][index] = true;
    }
  }
  for (; at < static_cast<std::size_t>(p.omega); ++at) {
    if (packed[at] != 0 && !leniency.hint_padding) return std::nullopt;
  }
  return rows;
}

}  // namespace

namespace {

Vector UnpackResponse(std::string_view signature, const MlDsaParameters& p) {
  const auto z_bytes = static_cast<std::size_t>(32 * p.z_bits());
  Vector z;
  for (std::size_t i = 0; i < static_cast<std::size_t>(p.l); ++i) {
    const std::size_t at = static_cast<std::size_t>(p.z_at()) + i * z_bytes;
    z.push_back(UnpackBits(signature.substr(at, z_bytes), p.z_bits()));
    for (auto& value : z.back()) value = Reduce(p.gamma1 - value);
  }
  return z;
}

}  // namespace

bool Decodes(MlDsaSet set, std::string_view signature) {
  const MlDsaParameters& p = ParametersOf(set);
  return signature.size() == static_cast<std::size_t>(p.signature_bytes) &&
         MaxAbs(UnpackResponse(signature, p)) < p.gamma1 - p.beta() &&
         UnpackHint(signature.substr(static_cast<std::size_t>(p.hint_at())), p, {}).has_value();
}

bool VerifyLeniently(MlDsaSet set, std::string_view public_key, std::string_view message,
                     std::string_view signature, const MlDsaLeniency& leniency) {
  const MlDsaParameters& p = ParametersOf(set);
  if (signature.size() != static_cast<std::size_t>(p.signature_bytes) ||
      public_key.size() != static_cast<std::size_t>(p.public_key_bytes)) {
    return false;
  }
  const std::string_view ctilde = signature.substr(0, static_cast<std::size_t>(p.ctilde_bytes));
  const Vector z = UnpackResponse(signature, p);
  const std::int32_t limit = p.gamma1 - p.beta() + (leniency.norm_off_by_one ? 1 : 0);
  if (!leniency.norm_of_z && MaxAbs(z) >= limit) return false;
  const auto hint =
      UnpackHint(signature.substr(static_cast<std::size_t>(p.hint_at())), p, leniency);
  if (!hint) return false;
  Poly c = SampleInBall(ctilde, p.tau);
  Ntt(c);
  Vector w = Times(ExpandA(public_key.substr(0, 32), p), ToNtt(z));
  for (std::size_t row = 0; row < w.size(); ++row) {
    Poly t1 = UnpackBits(public_key.substr(32 + row * 320, 320), 10);
    for (auto& value : t1) value <<= kD;
    Ntt(t1);
    w[row] = Subtract(w[row], Multiply(c, t1));
    InverseNtt(w[row]);
    for (std::size_t i = 0; i < kN; ++i) w[row][i] = UseHint((*hint)[row][i], w[row][i], p.gamma2);
  }
  const std::string m_prime =
      leniency.context_prefix ? std::string(message) : EncodeMessage(message);
  const std::string mu = Shake256(Shake256(public_key, 64) + m_prime, 64);
  return Shake256(mu + EncodeW1(w, p), ctilde.size()) == ctilde;
}

}  // namespace kassay::trust
