// Text from a guest on its way to a terminal or into XML.
#pragma once

#include <string>
#include <string_view>

namespace kassay {

// One line for a terminal: control characters (escape sequences among them), Unicode's own line
// ends and invalid UTF-8 become '?', of more than `max_bytes` the end is cut and "..." put in its
// place.
[[nodiscard]] std::string PrintableLine(std::string_view text, std::size_t max_bytes = 400);

// What XML 1.0 (section 2.2) can carry: other control characters and invalid UTF-8 become U+FFFD;
// line feeds and tabs stay.
[[nodiscard]] std::string XmlText(std::string_view text);

}  // namespace kassay
