// KEYCTL_PKEY_VERIFY: the kernel's verdict on our known-answer vectors and on signatures damaged in
// turn. lib/crypto/mldsa.c:mldsa_verify tells a signature that cannot be decoded (EBADMSG) from one
// that does not match (EKEYREJECTED); both are FIPS 204's "false".
#include <map>

#include "suites/mldsa/mldsa_set.h"

namespace kassay::mldsa {
namespace {

class Verify : public PerSet {
 protected:
  // One kernel key for each public key of the vectors.
  Serial KeyOf(const std::string& public_key) {
    const auto known = keys_.find(public_key);
    if (known != keys_.end()) return known->second;
    return keys_[public_key] = AddPublicKey(set(), public_key);
  }
  // The largest message that PKEY_VERIFY takes, as PKEY_QUERY tells it.
  static unsigned LimitOf(Serial key) { return Query(key, kPlain).values.max_data_size; }

  // Runs the vectors that `select` takes and expects `expected` of each. Gives back how many there
  // were.
  template <typename Select>
  int Run(Select select, int expected) {
    int count = 0;
    for (const Vector& vector : FixtureVectors(set())) {
      if (!select(vector)) continue;
      ++count;
      const Serial key = KeyOf(vector.public_key);
      EXPECT_GT(key, 0) << vector.id;
      EXPECT_THAT(trust::Verify(key, kPlain, vector.message, vector.signature), IsErrno(expected))
          << vector.id;
    }
    RecordEvidence("vectors", std::to_string(count));
    return count;
  }
  // Malformed vectors of the right length whose description has one of the words.
  int RunMalformed(std::initializer_list<std::string_view> words) {
    return Run(
        [&](const Vector& vector) {
          if (vector.verdict != Vector::Verdict::kMalformed) return false;
          if (vector.signature.size() != static_cast<std::size_t>(p().signature_bytes))
            return false;
          return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
            return vector.id.find(word) != std::string::npos;
          });
        },
        EBADMSG);
  }

 private:
  std::map<std::string, Serial> keys_;
};
FOR_EVERY_SET(Verify);

KASSAY_CASE_P(Verify, AcceptsGoodSignatures, Cites("PQC-021").Timeout(60)) {
  const unsigned limit = LimitOf(KeyOf(Key().public_key()));
  ASSERT_GT(limit, 0U);
  const int count = Run(
      [&](const Vector& vector) {
        return vector.verdict == Vector::Verdict::kValid && vector.message.size() <= limit;
      },
      0);
  // Ordinary, hedged, short, zero, other key, response at its bound, hint full: more than these ten
  // fit.
  EXPECT_GE(count, 10);
}

KASSAY_CASE_P(Verify, RejectsWhatDoesNotMatch, Cites("PQC-025", "PQC-032", "PQC-034").Timeout(90)) {
  const int count =
      Run([](const Vector& vector) { return vector.verdict == Vector::Verdict::kRejected; },
          EKEYREJECTED);
  EXPECT_GE(count, 25);
}

KASSAY_CASE_P(Verify, RefusesAResponseBeyondItsBound, Cites("PQC-028").Timeout(60)) {
  EXPECT_GE(RunMalformed({"gamma1", "bound", "all bytes"}), 15);
}

KASSAY_CASE_P(Verify, RefusesAHintWhoseIndicesDoNotRise, Cites("PQC-080").Timeout(60)) {
  EXPECT_EQ(RunMalformed({"index of the hint twice", "indices of the hint exchanged"}), 2);
}

KASSAY_CASE_P(Verify, RefusesAHintWithPadding, Cites("PQC-027").Timeout(60)) {
  EXPECT_EQ(RunMalformed({"unused index"}), 2);
}

KASSAY_CASE_P(Verify, RefusesHintCountsBeyondOmegaOrFalling, Cites("PQC-026").Timeout(60)) {
  EXPECT_EQ(RunMalformed({"hint count"}), 5);
}

// A row without hints shows no index that would be missed: its count alone tells. Of a verifier
// that lets it fall there would be several signatures. The messages were searched for: their
// signatures have no hint in the last row (ML-DSA-44 has too many hints to leave a row empty).
KASSAY_CASE(HintCount, OfAnEmptyLastRowMayNotFall, Cites("PQC-026")) {
  for (const auto& [set, message] :
       {std::pair{MlDsaSet::k65, "falling 387"}, {MlDsaSet::k87, "falling 2349"}}) {
    const MlDsaKey key(set, std::string(32, 'k'));
    const Serial serial = AddPublicKey(set, key.public_key());
    std::string signature = key.Sign(message);
    const std::size_t last = signature.size() - 1;
    ASSERT_EQ(signature[last], signature[last - 1]) << "there is a hint in the last row";
    ASSERT_THAT(trust::Verify(serial, kPlain, message, signature), IsErrno(0));
    for (const int count : {signature[last] - 1, 1, 0}) {
      signature[last] = static_cast<char>(count);
      EXPECT_THAT(trust::Verify(serial, kPlain, message, signature), IsErrno(EBADMSG)) << count;
    }
  }
}

// Byte by byte over the whole signature. What cannot be decoded any more is told by arithmetic of
// our own.
KASSAY_CASE_P(Verify, NoByteOfTheSignatureIsFree,
              Cites("PQC-025", "PQC-027", "PQC-028").Timeout(120)) {
  const MlDsaKey key = Key();
  const Serial serial = AddPublicKey(set(), key.public_key());
  const std::string message = "every byte counts";
  const std::string signature = key.Sign(message);
  ASSERT_EQ(trust::Verify(serial, kPlain, message, signature), 0);
  const auto ctilde_end = static_cast<std::size_t>(p().ctilde_bytes);
  const auto hint = static_cast<std::size_t>(p().hint_at());
  int malformed = 0;
  for (std::size_t at = 0; at < signature.size();) {
    for (const int mask : {0x01, 0x80}) {
      const std::string damaged = Flipped(signature, at, mask);
      const bool decodes = Decodes(set(), damaged);
      malformed += decodes ? 0 : 1;
      EXPECT_THAT(trust::Verify(serial, kPlain, message, damaged),
                  IsErrno(decodes ? EKEYREJECTED : EBADMSG))
          << "byte " << at << " bit mask " << mask;
    }
    // All of the commitment hash and of the hint, and every 37th byte of the responses.
    const bool dense = at + 1 < ctilde_end || at + 1 >= hint;
    at += dense ? 1 : std::min<std::size_t>(37, hint - at);
  }
  EXPECT_GT(malformed, 0);
}

KASSAY_CASE_P(Verify, NoByteOfTheKeyIsFree, Cites("PQC-081").Timeout(90)) {
  const MlDsaKey key = Key();
  const std::string message = "every byte counts";
  const std::string signature = key.Sign(message);
  const std::size_t last = key.public_key().size() - 1;
  for (std::size_t at = 0;; at = std::min(at + 61, last)) {
    const Serial serial = AddPublicKey(set(), Flipped(key.public_key(), at));
    ASSERT_GT(serial, 0);
    EXPECT_THAT(trust::Verify(serial, kPlain, message, signature), IsErrno(EKEYREJECTED))
        << "byte " << at;
    if (at == last) break;
  }
}

// RejNTTPoly (FIPS 204, algorithm 30) leaves a sample of exactly q out, which one key in some
// hundred meets; a verifier that takes it shifts the rest of the polynomial and rejects good
// signatures. The seeds were searched for: their matrix meets such a sample.
KASSAY_CASE_P(Verify, AcceptsAKeyWhoseMatrixMeetsTheModulus, Cites("PQC-091")) {
  const std::map<MlDsaSet, std::string> searched = {
      {MlDsaSet::k44, "001386"}, {MlDsaSet::k65, "000197"}, {MlDsaSet::k87, "000377"}};
  const MlDsaKey key(set(), std::string(26, 'q') + searched.at(set()));
  const Serial serial = AddPublicKey(set(), key.public_key());
  ASSERT_GT(serial, 0);
  EXPECT_THAT(trust::Verify(serial, kPlain, "message", key.Sign("message")), IsErrno(0));
  EXPECT_THAT(trust::Verify(serial, kPlain, "massage", key.Sign("message")), IsErrno(EKEYREJECTED));
}

// Any bit of the message is bound, at any place of SHAKE's blocks.
KASSAY_CASE_P(Verify, NoByteOfTheMessageIsFree, Cites("PQC-082").Timeout(60)) {
  const MlDsaKey key = Key();
  const Serial serial = AddPublicKey(set(), key.public_key());
  const std::string message(LimitOf(serial), 'm');
  const std::string signature = key.Sign(message);
  ASSERT_EQ(trust::Verify(serial, kPlain, message, signature), 0);
  for (std::size_t at = 0; at < message.size(); at += 3) {
    EXPECT_THAT(trust::Verify(serial, kPlain, Flipped(message, at), signature),
                IsErrno(EKEYREJECTED))
        << "byte " << at;
  }
}

KASSAY_CASE_P(Verify, AcceptsAMessageUpToTheLimitThatQueryTells, Cites("PQC-022", "PQC-023")) {
  const MlDsaKey key = Key();
  const Serial serial = AddPublicKey(set(), key.public_key());
  const unsigned limit = LimitOf(serial);
  const std::string longest(limit, 'l');
  EXPECT_THAT(trust::Verify(serial, kPlain, longest, key.Sign(longest)), IsErrno(0));
  const std::string too_long(limit + 1, 'l');
  EXPECT_THAT(trust::Verify(serial, kPlain, too_long, key.Sign(too_long)), IsErrno(EINVAL));
}

KASSAY_CASE_P(Verify, AcceptsTheEmptyMessageOnlyWithItsOwnSignature, Cites("PQC-024")) {
  const MlDsaKey key = Key();
  const Serial serial = AddPublicKey(set(), key.public_key());
  EXPECT_THAT(trust::Verify(serial, kPlain, "", key.Sign("")), IsErrno(0));
  EXPECT_THAT(trust::Verify(serial, kPlain, "", key.Sign("not empty")), IsErrno(EKEYREJECTED));
  EXPECT_THAT(trust::Verify(serial, kPlain, "not empty", key.Sign("")), IsErrno(EKEYREJECTED));
}

KASSAY_CASE_P(Verify, RefusesAShortSignature, Cites("PQC-029")) {
  const MlDsaKey key = Key();
  const Serial serial = AddPublicKey(set(), key.public_key());
  const std::string signature = key.Sign("message");
  for (const std::size_t cut :
       {std::size_t{1}, std::size_t{2}, signature.size() / 2, signature.size() - 1}) {
    EXPECT_THAT(
        trust::Verify(serial, kPlain, "message", signature.substr(0, signature.size() - cut)),
        IsErrno(EBADMSG))
        << cut << " bytes short";
  }
}

// The bytes that follow in the caller's memory would complete the signature: they must not be used.
KASSAY_CASE_P(Verify, DoesNotReadPastTheLengthThatItIsGiven, Cites("PQC-029", "PQC-031")) {
  const MlDsaKey key = Key();
  const Serial serial = AddPublicKey(set(), key.public_key());
  const std::string message = "message";
  const std::string signature = key.Sign(message);
  for (const unsigned size : {static_cast<unsigned>(signature.size()) - 1, 0U}) {
    const RawVerify raw{message.data(), static_cast<unsigned>(message.size()), signature.data(),
                        size};
    EXPECT_THAT(trust::Verify(serial, kPlain, raw), IsErrno(EBADMSG)) << "length " << size;
  }
}

KASSAY_CASE_P(Verify, RefusesALongSignature, Cites("PQC-030")) {
  const MlDsaKey key = Key();
  const Serial serial = AddPublicKey(set(), key.public_key());
  const std::string signature = key.Sign("message") + std::string(1, '\0');
  EXPECT_THAT(trust::Verify(serial, kPlain, "message", signature), IsErrno(EINVAL));
}

KASSAY_CASE_P(Verify, RefusesASignatureOfAnotherSet, Cites("PQC-033")) {
  const Serial serial = AddPublicKey(set(), Key().public_key());
  for (const MlDsaSet other : kAllMlDsaSets) {
    if (other == set()) continue;
    const std::string signature = MlDsaKey(other, std::string(32, 'k')).Sign("message");
    const bool fits = signature.size() <= static_cast<std::size_t>(p().signature_bytes);
    EXPECT_THAT(trust::Verify(serial, kPlain, "message", signature),
                IsErrno(fits ? EBADMSG : EINVAL))
        << ParametersOf(other).name;
  }
}

KASSAY_CASE_P(Verify, TakesSha512AsTheMessageItself, Cites("PQC-017")) {
  const MlDsaKey key = Key();
  const Serial serial = AddPublicKey(set(), key.public_key());
  const std::string signature = key.Sign("message");
  EXPECT_THAT(trust::Verify(serial, "hash=sha512", "message", signature), IsErrno(0));
  EXPECT_THAT(trust::Verify(serial, "hash=sha512", "massage", signature), IsErrno(EKEYREJECTED));
  EXPECT_THAT(trust::Verify(serial, "hash=sha512", Digest(kSha512, "message"), signature),
              IsErrno(EKEYREJECTED));
}

}  // namespace
}  // namespace kassay::mldsa
