#include "suites/dm_verity/verity.h"

namespace kassay::verity {

std::string VerityTable::Parameters() const {
  std::string line = version;
  for (const std::string* word : {&data_device, &hash_device, &data_block_size, &hash_block_size,
                                  &blocks, &hash_start, &algorithm, &root, &salt}) {
    if (!word->empty()) line += " " + *word;
  }
  if (options.empty() && !option_count) return line;
  line += " " + option_count.value_or(std::to_string(options.size()));
  for (const std::string& option : options) line += " " + option;
  return line;
}

VerityTable VerityTable::With(std::vector<std::string> more) const {
  VerityTable table = *this;
  for (std::string& word : more) table.options.push_back(std::move(word));
  return table;
}

Verity::Verity(std::string_view name)
    : image(LoadImage(name)),
      data(OrDie(BlockDevice::With(image.data))),
      // A loop device of nothing would be no device: the tree of a single block is empty.
      hash(OrDie(BlockDevice::With(image.tree.empty() ? std::string(4096, '\0') : image.tree))) {}

VerityTable Verity::Table() const {
  const ImageSpec& spec = image.spec;
  VerityTable table;
  table.sectors = spec.blocks * spec.data_block_size / 512;
  table.version = std::to_string(spec.format);
  table.data_device = data.MajorMinor();
  table.hash_device = hash.MajorMinor();
  table.data_block_size = std::to_string(spec.data_block_size);
  table.hash_block_size = std::to_string(spec.hash_block_size);
  table.blocks = std::to_string(spec.blocks);
  table.hash_start = std::to_string(image.hash_start);
  table.algorithm = spec.algorithm;
  table.root = image.root_hex;
  table.salt = spec.salt_hex.empty() ? "-" : spec.salt_hex;
  return table;
}

std::uint64_t Verity::TreeBlock(std::size_t level, std::uint64_t block) const {
  return image.hash_start + FirstBlockOfLevel(image.spec, level) + block;
}

void Verity::DamageTree(std::size_t level, std::uint64_t block, std::uint64_t child) {
  const std::uint64_t stride = image.spec.hash_block_size / DigestsPerBlock(image.spec);
  hash.Invert(TreeBlock(level, block) * image.spec.hash_block_size + child * stride);
}

Activation Activate(const VerityTable& table) {
  Activation activation{0, OrDie(MappedDevice::Create())};
  activation.error = activation.device.Load(
      {{.length = table.sectors, .parameters = table.Parameters()}}, table.read_only);
  if (activation.error == 0) activation.error = activation.device.Resume();
  return activation;
}

void ExpectRefused(const VerityTable& table, int error, const std::string& what) {
  const Activation activation = Activate(table);
  EXPECT_THAT(activation.error, IsErrno(error)) << what << ": " << table.Parameters();
  EXPECT_FALSE(activation.device.HasTable()) << what << ": a table is there all the same";
  EXPECT_LE(ReadDirect(activation.device.Path(), 0, 4096).result, 0) << what << ": data was read";
}

void ExpectReads(const MappedDevice& device, const Image& image, std::uint64_t block,
                 const std::string& what) {
  const std::uint64_t size = image.spec.data_block_size;
  const ReadBack read = ReadDirect(device.Path(), block * size, size);
  EXPECT_EQ(read.result, static_cast<long>(size)) << what << ", block " << block;
  EXPECT_TRUE(read.bytes == image.Block(block)) << what << ", block " << block << ": other data";
}

void ExpectUnreadable(const MappedDevice& device, const Image& image, std::uint64_t block,
                      const std::string& what) {
  const std::uint64_t size = image.spec.data_block_size;
  EXPECT_THAT(ReadDirect(device.Path(), block * size, size).result, IsErrno(EIO))
      << what << ", block " << block;
}

void ExpectGood(const Image& image, const VerityTable& table, const std::string& what) {
  const Activation activation = Activate(table);
  ASSERT_THAT(activation.error, IsErrno(0)) << what << ": " << table.Parameters();
  const ReadBack read = ReadDirect(activation.device.Path(), 0, image.data.size());
  EXPECT_EQ(read.result, static_cast<long>(image.data.size())) << what;
  EXPECT_TRUE(read.bytes == image.data) << what << ": other data";
  EXPECT_EQ(activation.device.Status().substr(0, 1), "V") << what;
}

bool TellsCount() {
  static const bool tells = [] {
    const Activation activation = Activate(Verity(kOneBlock).Table());
    return activation.error == 0 && activation.device.Status().size() > 1;
  }();
  return tells;
}

std::string Told(const std::string& status) { return TellsCount() ? status : status.substr(0, 1); }

std::string MakeReady() {
  if (!HasTarget("verity")) {
    const long error = LoadModule();
    if (error != 0) return "dm-verity cannot be loaded: " + ErrnoName(static_cast<int>(-error));
  }
  if (!HasTarget("verity")) return "the device mapper has no target verity";
  return {};
}

}  // namespace kassay::verity
