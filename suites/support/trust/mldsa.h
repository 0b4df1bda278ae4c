// ML-DSA (FIPS 204) from the signer's side: keys from a seed, signatures, and signatures that are
// wrong in exactly one way. A conformance suite needs the last: nobody's library makes a signature
// whose only fault is a response vector one step over its bound. Not constant-time, never for real
// keys.
//
// Held against OpenSSL's implementation byte for byte (fixtures/vectors, mldsa_test.cc).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kassay::trust {

enum class MlDsaSet { k44, k65, k87 };

// FIPS 204, table 1 and 2.
struct MlDsaParameters {
  std::string_view name;         // "ML-DSA-44"
  std::string_view kernel_name;  // "mldsa44", as in /proc/crypto and /proc/keys
  std::string_view oid;          // "2.16.840.1.101.3.4.3.17"
  int k;                         // rows of A
  int l;                         // columns of A
  int eta;                       // bound of the secret's coefficients
  int tau;                       // non-zero coefficients of the challenge
  int omega;                     // most bits that the hint may have
  std::int32_t gamma1;           // range of the mask
  std::int32_t gamma2;           // range of the low part
  int ctilde_bytes;              // commitment hash
  int public_key_bytes;
  int signature_bytes;

  [[nodiscard]] std::int32_t beta() const { return tau * eta; }
  [[nodiscard]] int z_bits() const { return gamma1 == (1 << 17) ? 18 : 20; }
  // Where the parts of a signature begin: c~ at 0, z, hint.
  [[nodiscard]] int z_at() const { return ctilde_bytes; }
  [[nodiscard]] int hint_at() const { return signature_bytes - omega - k; }
};
[[nodiscard]] const MlDsaParameters& ParametersOf(MlDsaSet set);
inline constexpr MlDsaSet kAllMlDsaSets[] = {MlDsaSet::k44, MlDsaSet::k65, MlDsaSet::k87};

// What one turn of the signing loop (FIPS 204, algorithm 7) came to.
struct MlDsaAttempt {
  std::int32_t z_bound;  // largest |z|; a valid signature has it below gamma1 - beta
  int hint_weight;       // a valid signature has at most omega
  int kappa;             // which turn
};
// Chooses the turn that becomes the signature. Turns whose other conditions fail are never offered.
using MlDsaChoice = std::function<bool(const MlDsaAttempt&)>;

class MlDsaKey {
 public:
  // ML-DSA.KeyGen_internal; `seed` is 32 bytes.
  MlDsaKey(MlDsaSet set, std::string_view seed);
  ~MlDsaKey();
  MlDsaKey(MlDsaKey&&) noexcept;
  MlDsaKey& operator=(MlDsaKey&&) noexcept;

  [[nodiscard]] MlDsaSet set() const { return set_; }
  [[nodiscard]] const MlDsaParameters& parameters() const { return ParametersOf(set_); }
  [[nodiscard]] const std::string& public_key() const { return public_key_; }

  // Pure ML-DSA over `message` with `context` (at most 255 bytes), deterministic (rnd is 32 zero
  // bytes).
  [[nodiscard]] std::string Sign(std::string_view message, std::string_view context = {}) const;
  // Signs the already encoded M' (what Sign() makes is 0x00, length of context, context, message).
  // `choose` replaces FIPS 204's conditions on z; nullopt if no turn up to `turns` was chosen.
  [[nodiscard]] std::optional<std::string> SignEncoded(std::string_view m_prime,
                                                       const MlDsaChoice& choose,
                                                       int turns = 4000) const;
  // FIPS 204's own condition, for use within a choice.
  [[nodiscard]] bool IsValid(const MlDsaAttempt& attempt) const;

 private:
  struct Secret;
  MlDsaSet set_;
  std::string public_key_;
  std::unique_ptr<Secret> secret_;
};

// 0x00, length of context, context, message: FIPS 204, algorithm 2, line 10.
[[nodiscard]] std::string EncodeMessage(std::string_view message, std::string_view context = {});

// The checks of FIPS 204's verification that a careless verifier may leave out, one switch each.
// Proves of a crafted signature that it is wrong in one way only: the verifier without that check
// accepts it.
struct MlDsaLeniency {
  bool norm_of_z = false;        // algorithm 8, line 13: ||z|| < gamma1 - beta
  bool norm_off_by_one = false;  // the same with <=
  bool hint_order = false;       // algorithm 21, line 8: indices of a row rise strictly
  bool hint_padding = false;     // algorithm 21, line 15: unused indices are zero
  bool context_prefix = false;   // M' is the message itself
};
// Whether a signature can be decoded at all: lengths, ||z|| and the hint are as they must be. One
// that cannot is malformed, one that can and does not match is rejected.
[[nodiscard]] bool Decodes(MlDsaSet set, std::string_view signature);

[[nodiscard]] bool VerifyLeniently(MlDsaSet set, std::string_view public_key,
                                   std::string_view message, std::string_view signature,
                                   const MlDsaLeniency& leniency);

}  // namespace kassay::trust
