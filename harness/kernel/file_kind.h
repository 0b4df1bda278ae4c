// Files that people take for a kernel, or that hold one in another form.
#pragma once

#include <string>
#include <string_view>

namespace kassay {

// What a file is by its first bytes (kBzImageHeadBytes of image_header.h, or the whole file) and
// what to do with it, as one sentence without a full stop: "it is a unified kernel image (UKI):
// ..." Empty for what is none of the known kinds. For files that are neither bzImage nor vmlinux.
[[nodiscard]] std::string WhatItIsInstead(std::string_view head);

}  // namespace kassay
