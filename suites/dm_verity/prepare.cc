// On the host: the images, made by libcryptsetup on plain files.
#include <libcryptsetup.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "harness/base/text/hex.h"
#include "suites/dm_verity/hash_tree.h"
#include "suites/dm_verity/image.h"
#include "suites/support/prepare.h"
#include "suites/support/trust/fixture.h"

namespace kassay::verity {
namespace {

namespace fs = std::filesystem;

struct FreeDevice {
  void operator()(crypt_device* device) const { crypt_free(device); }
};
using Device = std::unique_ptr<crypt_device, FreeDevice>;

std::string& LastWords() {
  static std::string words;
  return words;
}

void Remember(int level, const char* message, void* /*unused*/) {
  if (level == CRYPT_LOG_ERROR) LastWords() = message;
}

std::string Problem(const std::string& what) {
  std::string words = LastWords();
  if (!words.empty() && words.back() == '\n') words.pop_back();
  return "libcryptsetup: " + what + (words.empty() ? "" : ": " + words);
}

bool WriteFile(const fs::path& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  file.flush();
  return file.good();
}

// The tree and, with roots, the parity, of the data that lies in `folder`.
std::string Format(const ImageSpec& spec, const fs::path& folder, unsigned roots) {
  const std::string data = folder / FileOf(spec.name, "data");
  const std::string tree = folder / FileOf(spec.name, "tree");
  const std::string parity = folder / FileOf(spec.name, "parity" + std::to_string(roots));
  const std::string salt = FromHex(spec.salt_hex).value();
  const std::string algorithm(spec.algorithm);
  // libcryptsetup writes into files that are there.
  if (!WriteFile(tree, "") || (roots != 0 && !WriteFile(parity, "")))
    return "cannot write into " + folder.string();
  crypt_device* raw = nullptr;
  if (crypt_init(&raw, tree.c_str()) != 0) return Problem("crypt_init");
  const Device device(raw);
  crypt_params_verity parameters{};
  parameters.hash_name = algorithm.c_str();
  parameters.data_device = data.c_str();
  parameters.fec_device = roots == 0 ? nullptr : parity.c_str();
  parameters.fec_roots = roots;
  parameters.salt = salt.data();
  parameters.salt_size = static_cast<std::uint32_t>(salt.size());
  parameters.hash_type = spec.format;
  parameters.data_block_size = spec.data_block_size;
  parameters.hash_block_size = spec.hash_block_size;
  parameters.data_size = spec.blocks;
  parameters.flags = CRYPT_VERITY_CREATE_HASH | (spec.has_header ? 0 : CRYPT_VERITY_NO_HEADER);
  if (crypt_format(raw, CRYPT_VERITY, nullptr, nullptr, nullptr, nullptr, 0, &parameters) != 0)
    return Problem("crypt_format of " + std::string(spec.name));
  std::string root(64, '\0');
  std::size_t size = root.size();
  if (crypt_volume_key_get(raw, CRYPT_ANY_SLOT, root.data(), &size, nullptr, 0) != 0)
    return Problem("no root hash of " + std::string(spec.name));
  root.resize(size);
  if (!WriteFile(folder / FileOf(spec.name, "root"), ToHex(root)))
    return "cannot write into " + folder.string();
  return "";
}

std::string Make(const ImageSpec& spec, const fs::path& folder) {
  const fs::path data = folder / FileOf(spec.name, "data");
  if (!WriteFile(data, DataOf(spec))) return "cannot write into " + folder.string();
  std::string problem = Format(spec, folder, 0);
  for (const unsigned roots : spec.fec_roots) {
    if (problem.empty()) problem = Format(spec, folder, roots);
  }
  // The guest makes the data itself.
  fs::remove(data);
  return problem;
}

KASSAY_PREPARE() {
  crypt_set_log_callback(nullptr, &Remember, nullptr);
  for (const ImageSpec& spec : AllImages()) {
    std::string problem = Make(spec, folder);
    if (!problem.empty()) return problem;
  }
  return "";
}

}  // namespace
}  // namespace kassay::verity
