#include "suites/dm_verity/trust.h"

namespace kassay::verity {
namespace {

KASSAY_PROBE("dm_verity") {
  const std::string why = MakeReady();
  return why.empty() ? Present("DM_LIST_VERSIONS names verity") : Missing(why);
}

KASSAY_PROBE("dm_verity_signatures") {
  if (const std::string why = MakeReady(); !why.empty()) return Missing(why);
  const std::string value = Parameter("require_signatures");
  if (value.empty()) return Missing("dm_verity has no parameter require_signatures");
  return Present("dm_verity.require_signatures=" + value);
}

KASSAY_PROBE("dm_verity_keyring") {
  if (const std::string why = MakeReady(); !why.empty()) return Missing(why);
  const std::string value = Parameter("keyring_unsealed");
  if (value.empty()) return Missing("dm_verity has no parameter keyring_unsealed");
  if (VerityKeyring() <= 0) return Missing("/proc/keys has no .dm-verity");
  return Present("/proc/keys has .dm-verity");
}

KASSAY_PROBE("dm_verity_mldsa") {
  if (const std::string why = MakeReady(); !why.empty()) return Missing(why);
  if (VerityKeyring() <= 0) return Missing("/proc/keys has no .dm-verity");
  // Self-signed: only a kernel that verifies ML-DSA takes it. On a keyring of the process, so that
  // it shows also where .dm-verity is sealed.
  const Serial key = AddCertificate(FixtureCertificate("verity-mldsa65"));
  const std::string told = "add_key(self-signed ML-DSA-65 certificate): " +
                           (key > 0 ? std::string("a key") : ErrnoName(-key));
  return key > 0 ? Present(told) : Missing(told);
}

KASSAY_PROBE("dm_verity_error_modes") {
  if (const std::string why = MakeReady(); !why.empty()) return Missing(why);
  const Verity verity(kOneBlock);
  const long error = Activate(verity.Table().With({"panic_on_error"})).error;
  const std::string told = "a table with panic_on_error: " + ErrnoName(static_cast<int>(-error));
  return error == 0 ? Present(told) : Missing(told);
}

KASSAY_PROBE("dm_verity_corrected_count") {
  if (const std::string why = MakeReady(); !why.empty()) return Missing(why);
  const Verity verity(kOneBlock);
  const Activation activation = Activate(verity.Table());
  if (activation.error != 0) return Unknown("no table loads");
  const std::string told = "the status of a plain table: " + activation.device.Status();
  return TellsCount() ? Present(told) : Missing(told);
}

KASSAY_PROBE("dm_verity_fec") {
  if (const std::string why = MakeReady(); !why.empty()) return Missing(why);
  const Verity verity(kPlain);
  const auto parity = BlockDevice::With(LoadParity(2));
  if (!parity) return Unknown(parity.error().message);
  const long error =
      Activate(verity.Table().With({"use_fec_from_device", parity->MajorMinor(), "fec_roots", "2",
                                    "fec_blocks", "259", "fec_start", "0"}))
          .error;
  const std::string told = "a table with parity: " + ErrnoName(static_cast<int>(-error));
  return error == 0 ? Present(told) : Missing(told);
}

}  // namespace
}  // namespace kassay::verity
