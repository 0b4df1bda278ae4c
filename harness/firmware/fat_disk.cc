#include "harness/firmware/fat_disk.h"

#include <algorithm>

#include "harness/firmware/efi.h"

namespace kassay::efi {
namespace {

constexpr std::size_t kSector = 512;
constexpr std::size_t kRootEntries = 512;
constexpr std::size_t kEntryBytes = 32;
constexpr std::size_t kRootSectors = kRootEntries * kEntryBytes / kSector;
// The number of clusters alone says that it is FAT16.
constexpr std::size_t kFewestClusters = 4200;
constexpr std::size_t kMostClusters = 65000;
constexpr std::size_t kMostBytes = std::size_t{1} << 30;
constexpr std::size_t kFirstCluster = 2;

std::size_t RoundedUp(std::size_t value, std::size_t step) { return (value + step - 1) / step; }

// "KERNEL.EFI" as "KERNEL  EFI"; empty if it has another form.
std::string ShortName(const std::string& name) {
  const std::size_t dot = std::min(name.find('.'), name.size());
  const std::string base = name.substr(0, dot);
  const std::string extension = name.substr(std::min(dot + 1, name.size()));
  const auto fits = [](const std::string& part, std::size_t most) {
    return part.size() <= most && std::ranges::all_of(part, [](char c) {
             return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
           });
  };
  if (base.empty() || !fits(base, 8) || !fits(extension, 3)) return {};
  return base + std::string(8 - base.size(), ' ') + extension +
         std::string(3 - extension.size(), ' ');
}

struct Layout {
  std::size_t sectors_a_cluster = 8;
  std::size_t clusters = 0;
  std::size_t fat_sectors = 0;

  [[nodiscard]] std::size_t ClusterBytes() const { return sectors_a_cluster * kSector; }
  [[nodiscard]] std::size_t Sectors() const {
    return 1 + 2 * fat_sectors + kRootSectors + clusters * sectors_a_cluster;
  }
};

Result<Layout> LayOut(const std::vector<std::uint64_t>& sizes) {
  std::size_t total = 0;
  for (const std::uint64_t size : sizes) total += std::min(size, kMostBytes + 1);
  if (total > kMostBytes || sizes.size() > 500) return Fail("too much for one FAT disk");
  Layout layout;
  for (;; layout.sectors_a_cluster *= 2) {
    layout.clusters = 0;
    for (const std::uint64_t size : sizes)
      layout.clusters += RoundedUp(size, layout.ClusterBytes());
    if (layout.clusters <= kMostClusters) break;
  }
  layout.clusters = std::max(layout.clusters, kFewestClusters);
  layout.fat_sectors = RoundedUp(2 * (layout.clusters + kFirstCluster), kSector);
  return layout;
}

std::string BootSector(const Layout& layout) {
  std::string sector = std::string("\xeb\x3c\x90", 3) + "KASSAY  " + Le(kSector, 2) +
                       Le(layout.sectors_a_cluster, 1) + Le(1, 2) /* reserved */ +
                       Le(2, 1) /* FATs */ + Le(kRootEntries, 2) + Le(0, 2) + Le(0xf8, 1) +
                       Le(layout.fat_sectors, 2) + Le(63, 2) + Le(255, 2) + Le(0, 4) +
                       Le(layout.Sectors(), 4) + Le(0x80, 1) + Le(0, 1) + Le(0x29, 1) +
                       Le(0x6b617373, 4) + "KASSAY     " + "FAT16   ";
  sector.resize(kSector, '\0');
  sector.replace(kSector - 2, 2, "\x55\xaa");
  return sector;
}

// One FAT: each file's clusters are a chain of neighbours.
std::string Table(const std::vector<FatFile>& files, const Layout& layout) {
  std::string table = Le(0xfff8, 2) + Le(0xffff, 2);
  for (const FatFile& file : files) {
    const std::size_t count = RoundedUp(file.bytes.size(), layout.ClusterBytes());
    for (std::size_t i = 0; i < count; ++i)
      table += Le(i + 1 < count ? table.size() / 2 + 1 : 0xffff, 2);
  }
  table.resize(layout.fat_sectors * kSector, '\0');
  return table;
}

Result<std::string> RootFolder(const std::vector<FatFile>& files, const Layout& layout) {
  constexpr std::uint16_t kDay = 0x21;  // 1980-01-01, the first that there is
  std::string folder;
  std::size_t cluster = kFirstCluster;
  for (const FatFile& file : files) {
    const std::string name = ShortName(file.name);
    if (name.empty()) return Fail("'" + file.name + "' is no name for a file on a FAT disk");
    const std::size_t count = RoundedUp(file.bytes.size(), layout.ClusterBytes());
    folder += name + Le(0x20, 1) + Le(0, 4) + Le(kDay, 2) + Le(0, 2) + Le(0, 2) + Le(0, 2) +
              Le(kDay, 2) + Le(count == 0 ? 0 : cluster, 2) + Le(file.bytes.size(), 4);
    folder.resize(RoundedUp(folder.size(), kEntryBytes) * kEntryBytes, '\0');
    cluster += count;
  }
  folder.resize(kRootSectors * kSector, '\0');
  return folder;
}

}  // namespace

Result<std::uint64_t> FatDiskBytes(const std::vector<std::uint64_t>& sizes) {
  KASSAY_TRY(const Layout layout, LayOut(sizes));
  return layout.Sectors() * kSector;
}

Result<std::string> FatDisk(const std::vector<FatFile>& files) {
  std::vector<std::uint64_t> sizes;
  sizes.reserve(files.size());
  for (const FatFile& file : files) sizes.push_back(file.bytes.size());
  KASSAY_TRY(const Layout layout, LayOut(sizes));
  KASSAY_TRY(const std::string root, RootFolder(files, layout));
  const std::string table = Table(files, layout);
  std::string disk;
  disk.reserve(layout.Sectors() * kSector);
  disk += BootSector(layout);
  disk += table;
  disk += table;
  disk += root;
  for (const FatFile& file : files) {
    disk += file.bytes;
    disk.resize(disk.size() +
                RoundedUp(file.bytes.size(), layout.ClusterBytes()) * layout.ClusterBytes() -
                file.bytes.size());
  }
  disk.resize(layout.Sectors() * kSector, '\0');
  return disk;
}

}  // namespace kassay::efi
