// Small kernels that QEMU never sees: as much of an image as is looked at before it is booted.
#pragma once

#include <archive.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace kassay::testing {

// The smallest ELF with a note segment; `type` 18 of "Xen" is the PVH entry.
[[nodiscard]] std::string SmallElf(std::uint32_t type = 18);

// The bytes through one of libarchive's filters.
[[nodiscard]] std::string Compress(const std::string& bytes, int (*filter)(archive*));

// The uncompressed size appended, as the kernel's build does.
[[nodiscard]] std::string WithSize(std::string payload, std::size_t size);

// A bzImage whose payload is `payload`, boot protocol 2.15, one setup sector.
[[nodiscard]] std::string SmallBzImage(const std::string& payload);

// The same with PE headers over it, as an EFI stub has them, and no sections.
[[nodiscard]] std::string WithEfiStub(std::string image);

// Writes a little-endian number into an image.
void Put(std::string& image, std::size_t at, std::uint32_t value, int bytes);

}  // namespace kassay::testing
