// The page's parts, embedded from assets/ at build time.
#pragma once

#include <string_view>

namespace kassay::assets {

extern const std::string_view kPage;
extern const std::string_view kStyle;
extern const std::string_view kScript;

}  // namespace kassay::assets
