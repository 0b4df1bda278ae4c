// The guest's side of `kassay vectors`, see harness/protocol/vector_records.h.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "harness/base/text/hex.h"
#include "harness/base/unique_fd.h"
#include "harness/protocol/suite_program.h"
#include "harness/protocol/vector_records.h"
#include "suites/mldsa/mldsa_set.h"
#include "suites/support/helper.h"
#include "suites/support/trust/cms.h"

namespace kassay::mldsa {
namespace {

struct Line {
  std::size_t number = 0;
  MlDsaSet set = MlDsaSet::k44;
  std::string public_key, message, signature;
};

struct Said {
  const char* verdict;
  std::string door;
  std::string result;
};

std::string Bytes(const std::string& field) {
  return field == kNoBytes ? std::string() : FromHex(field).value_or("");
}

bool ReadLine(std::ifstream& file, Line& line) {
  std::string text;
  if (!std::getline(file, text)) return false;
  std::istringstream fields(text);
  std::string set;
  std::string key;
  std::string message;
  std::string signature;
  if (!(fields >> line.number >> set >> key >> message >> signature)) return false;
  for (const MlDsaSet known : kAllMlDsaSets) {
    if (ParametersOf(known).name == set) line.set = known;
  }
  line.public_key = Bytes(key);
  line.message = Bytes(message);
  line.signature = Bytes(signature);
  return true;
}

std::string NameOf(long result) {
  if (result >= 0) return "0";
  const char* name = strerrorname_np(static_cast<int>(-result));
  return name == nullptr ? std::to_string(result) : name;
}

Said Judge(const char* door, long result, long valid) {
  if (result == valid) return {kVectorValid, door, NameOf(result)};
  for (const int refused : {EKEYREJECTED, EBADMSG, EINVAL}) {
    if (result == -refused) return {kVectorInvalid, door, NameOf(result)};
  }
  // Anything else says nothing about the signature.
  return {result == -ENOENT ? kVectorDisabled : kVectorUncarried, door,
          result == -ENOENT ? NameOf(result) : std::string(door) + " says " + NameOf(result)};
}

// A message with the public key's certificate inside: verified before anybody asks whether it is
// trusted.
CmsMessage Wrapped(const Line& line, const SigningKey& name_only, bool attached) {
  const CertificateFields fields = Wrap(line.set, line.public_key);
  CmsMessage message;
  message.content = line.message;
  message.attached = attached;
  message.certificates.push_back(fields.Der());
  CmsSigner signer;
  signer.key = &name_only;
  signer.ids = {fields.issuer, fields.subject, fields.serial, {}};
  signer.algorithm = AlgorithmIdentifier(ParametersOf(line.set).oid);
  signer.signature = line.signature;
  message.signers.push_back(signer);
  return message;
}

// Why init_module does not tell a good signature from a bad one here; empty if it does. Where
// signatures are not looked at everything is ENOEXEC, and where they are needed an unknown signer
// is refused like a wrong signature.
std::string WhyNoModuleDoor(MlDsaSet set);

long LoadAsModule(const Line& line, const std::string& cms) {
  std::string file = line.message + cms + std::string("\0\0\x02\0\0\0\0\0", 8);
  for (const int shift : {24, 16, 8, 0}) file += static_cast<char>(cms.size() >> shift & 0xff);
  file += "~Module signature appended~\n";
  const long result = syscall(SYS_init_module, file.data(), file.size(), "");
  return result < 0 ? -errno : result;
}

std::string WhyNoModuleDoor(MlDsaSet set) {
  static std::map<MlDsaSet, std::string> known;
  if (const auto found = known.find(set); found != known.end()) return found->second;
  const SigningKey name_only = SigningKey::MlDsa(set, std::string(32, 'n'));
  const MlDsaKey key(set, std::string(32, 'd'));
  Line line{0, set, key.public_key(), std::string(1000, 'd'), {}};
  line.signature = key.Sign(line.message);
  const long good = LoadAsModule(line, Wrapped(line, name_only, false).Der());
  line.signature[0] = static_cast<char>(line.signature[0] ^ 1);
  const long bad = LoadAsModule(line, Wrapped(line, name_only, false).Der());
  std::string& why = known[set];
  if (good != -ENOEXEC || bad != -EKEYREJECTED) {
    why = "the message is too long for a key's doors, and init_module says " + NameOf(good) +
          " to a good signature and " + NameOf(bad) + " to a bad one";
  }
  return why;
}

Said Verify(const Line& line) {
  const Serial ring = NewKeyring("vector");
  const Serial key = AddCertificate(Wrap(line.set, line.public_key).Der(), ring);
  if (key < 0) return {kVectorUncarried, "add_key", "add_key says " + NameOf(key)};
  const QueryResult query = Query(key, kPlain);
  Said said{kVectorUncarried, "", ""};
  if (query.error == -ENOENT) {
    said = {kVectorDisabled, "pkey_query", NameOf(query.error)};
  } else if (query.error == -EINVAL &&
             line.public_key.size() !=
                 static_cast<std::size_t>(ParametersOf(line.set).public_key_bytes)) {
    said = {kVectorInvalid, "pkey_query", "EINVAL, a public key of the wrong length"};
  } else if (query.error != 0) {
    said = {kVectorUncarried, "pkey_query", "pkey_query says " + NameOf(query.error)};
  } else if (line.message.size() <= query.values.max_data_size) {
    said = Judge("pkey_verify", trust::Verify(key, kPlain, line.message, line.signature), 0);
  } else {
    const SigningKey name_only = SigningKey::MlDsa(line.set, std::string(32, 'n'));
    const std::string attached = Wrapped(line, name_only, true).Der();
    const Serial message = attached.size() <= 65535 ? AddPkcs7(attached, ring) : -EMSGSIZE;
    if (message != -ENODEV && message != -EMSGSIZE) {
      said = Judge("pkcs7_test", message, -ENOKEY);
    } else {
      const std::string why_not = WhyNoModuleDoor(line.set);
      said = why_not.empty()
                 ? Judge("init_module", LoadAsModule(line, Wrapped(line, name_only, false).Der()),
                         -ENOEXEC)
                 : Said{kVectorUncarried, "init_module", why_not};
    }
  }
  keyctl_unlink(ring, KEY_SPEC_PROCESS_KEYRING);
  return said;
}

KASSAY_HELPER(Vectors) {
  const char* descriptor = std::getenv(kRecordFdVariable);  // NOLINT(concurrency-mt-unsafe)
  if (args.size() != 3) return 2;
  const int out =
      descriptor == nullptr ? STDOUT_FILENO : std::atoi(descriptor);  // NOLINT(cert-err34-c)
  std::ifstream file(args[0]);
  const long first = std::atol(args[1].c_str());  // NOLINT(cert-err34-c): the host's own numbers
  const long count = std::atol(args[2].c_str());  // NOLINT(cert-err34-c)
  Line line;
  for (long at = 0; at < first + count && ReadLine(file, line); ++at) {
    if (at < first) continue;
    const Said said = Verify(line);
    const std::string record = "{\"vector\":" + std::to_string(line.number) + ",\"verdict\":\"" +
                               said.verdict + "\",\"door\":\"" + said.door + "\",\"result\":\"" +
                               said.result + "\"}\n";
    if (write(out, record.data(), record.size()) != static_cast<ssize_t>(record.size())) return 3;
  }
  return 0;
}

}  // namespace
}  // namespace kassay::mldsa
