// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/shown_url.h"

#include <algorithm>
#include <utility>

#include "profiles/base/format.h"

namespace vpnrun::service {
namespace {

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Characters that a URL may have and that a shell takes for its own. (Of "&", which separates
/// parameters, a shell makes no more than another command without an argument.)
constexpr std::string_view kOfShells = "$'();!*";

/// The same with these written as numbers (RFC 3986, section 2.1): people copy links.
std::string fit_for_shells(std::string_view url) {
  std::string text;
  for (const char c : url) {
    if (kOfShells.find(c) == std::string_view::npos) {
      text += c;
    } else {
      text += formatted("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return text;
}

bool has_scheme(std::string_view text, std::string_view scheme) {
  return text.size() > scheme.size() &&
         std::equal(scheme.begin(), scheme.end(), text.begin(), [](char expected, char c) {
           return expected == (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
         });
}

}  // namespace

std::optional<std::string> shown_url(std::string_view text, std::size_t most) {
  constexpr std::string_view kOthers = "-._~:/?#[]@!$&'()*+,;=%";
  const bool is_of_url = std::ranges::all_of(text, [&](char c) {
    return is_letter_or_digit(c) || kOthers.find(c) != std::string_view::npos;
  });
  if (text.size() > most || !is_of_url) {
    return std::nullopt;
  }
  std::string_view rest = text;
  if (has_scheme(text, "https://")) {
    rest.remove_prefix(std::string_view("https://").size());
  } else if (has_scheme(text, "http://")) {
    rest.remove_prefix(std::string_view("http://").size());
  } else {
    return std::nullopt;
  }
  const std::string_view host = rest.substr(0, rest.find_first_of("/?#"));
  const bool is_host = !host.empty() && host.find('@') == std::string_view::npos &&
                       (is_letter_or_digit(host.front()) || host.front() == '[');
  std::string fit = fit_for_shells(text);
  return is_host && fit.size() <= most ? std::optional(std::move(fit)) : std::nullopt;
}

}  // namespace vpnrun::service
