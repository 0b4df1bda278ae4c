#include "harness/report/html/html.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>
#include <map>

#include "harness/compare/compare_text.h"
#include "harness/report/html/assets.h"
#include "harness/report/html/html_data.h"

namespace kassay {
namespace {

// 'sha256-...' as a Content-Security-Policy names an inline style or script (CSP 3, 2.3.1).
std::string CspHash(std::string_view content) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(content.data()), content.size(),  // NOLINT
         digest.data());
  std::array<unsigned char, 4 * ((SHA256_DIGEST_LENGTH + 2) / 3) + 1> text{};
  EVP_EncodeBlock(text.data(), digest.data(), digest.size());
  return "'sha256-" + std::string(reinterpret_cast<const char*>(text.data())) + "'";  // NOLINT
}

// Fills the @NAME@ places of the page in one pass: what is put in is never looked at again.
std::string Page(const std::map<std::string, std::string_view, std::less<>>& values,
                 size_t size_hint) {
  std::string out;
  out.reserve(size_hint);
  std::string_view rest = assets::kPage;
  while (true) {
    const size_t begin = rest.find('@');
    const size_t end = begin == std::string_view::npos ? begin : rest.find('@', begin + 1);
    if (end == std::string_view::npos) break;
    const auto value = values.find(rest.substr(begin + 1, end - begin - 1));
    out += rest.substr(0, begin);
    if (value != values.end()) out += value->second;
    rest.remove_prefix(end + 1);
  }
  return out += rest;
}

std::string Assemble(const std::string& title, const std::string& verdict,
                     const std::string& data) {
  const std::string csp = "default-src 'none'; script-src " + CspHash(assets::kScript) +
                          "; style-src " + CspHash(assets::kStyle) +
                          "; base-uri 'none'; form-action 'none'";
  const std::string title_markup = EscapeForMarkup(title);
  const std::string verdict_markup = EscapeForMarkup(verdict);
  return Page({{"CSP", csp},
               {"GENERATOR", "kassay " KASSAY_VERSION},
               {"TITLE", title_markup},
               {"VERDICT", verdict_markup},
               {"STYLE", assets::kStyle},
               {"SCRIPT", assets::kScript},
               {"DATA", data}},
              data.size() + assets::kScript.size() + assets::kStyle.size() + 4096);
}

}  // namespace

std::string EscapeForScript(std::string_view json) {
  std::string out;
  out.reserve(json.size() + json.size() / 64);
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    // U+2028 and U+2029 are E2 80 A8 and E2 80 A9 in UTF-8.
    const bool separator = c == '\xe2' && i + 2 < json.size() && json[i + 1] == '\x80' &&
                           (json[i + 2] == '\xa8' || json[i + 2] == '\xa9');
    if (separator) {
      out += json[i + 2] == '\xa8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else if (c == '<') {
      out += "\\u003c";
    } else if (c == '>') {
      out += "\\u003e";
    } else if (c == '&') {
      out += "\\u0026";
    } else {
      out += c;
    }
  }
  return out;
}

std::string EscapeForMarkup(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string HtmlOfRun(const RunResult& run, const HtmlContext& context) {
  const std::string verdict =
      context.verdict.empty() ? std::string(ToString(OutcomeOf(run))) : context.verdict;
  return Assemble(DisplayName(run.kernel) + ": " + verdict, verdict,
                  DataOfRun(run, context, verdict));
}

std::string HtmlOfComparison(const Comparison& comparison, const HtmlContext& context) {
  return Assemble(DisplayName(comparison.before) + " against " + DisplayName(comparison.after),
                  Summary(comparison), DataOfComparison(comparison, context));
}

std::string HtmlOfMatrix(const Matrix& matrix, const HtmlContext& context) {
  return Assemble(std::to_string(matrix.kernels.size()) + " kernels against features",
                  "kernels against features", DataOfMatrix(matrix, context));
}

}  // namespace kassay
