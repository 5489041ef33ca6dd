// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "profiles/base/error.h"
#include "profiles/protocol/control_message.h"
#include "profiles/protocol/status.h"

// Private to status.cc and control_message.cc: the JSON library is seen nowhere else.
namespace vpnrun {

/// Keeps the order of insertion, so that people find members where they expect them.
using Json = nlohmann::ordered_json;

/// Throws Error "cannot parse `what`: …" with the byte, never with the text: it may hold a
/// password.
[[nodiscard]] Json parse_json(std::string_view text, std::string_view what);
/// One line; bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string dump_json(const Json& json);

[[nodiscard]] Json status_to_json(const Status& status);
[[nodiscard]] Status status_from_json(const Json& json);

/// The members of one JSON object, each fetched once by name. What is left is refused by finish(),
/// for a request, or not looked at, for what a companion says: it may be newer.
/// Messages name the member and the expected type, never the value.
class JsonFields {
 public:
  /// Throws Error if `json` is not an object. `json` must outlive this object.
  JsonFields(const Json& json, std::string_view what);

  /// Each leaves `out` alone if the member is absent, and throws Error on a wrong type or range.
  void get(const char* name, bool& out);
  void get(const char* name, std::string& out);
  void get(const char* name, std::vector<std::string>& out);
  void get(const char* name, std::vector<std::uint32_t>& out);
  void get(const char* name, std::int64_t& out);
  void get(const char* name, std::uint64_t& out);
  void get(const char* name, std::uint32_t& out);

  /// The member or nullptr; counts as fetched.
  [[nodiscard]] const Json* find(const char* name);
  /// Like find(), but throws Error if the member is absent.
  [[nodiscard]] const Json& require(const char* name);

  /// Throws UnknownInRequest naming a member that nobody fetched.
  void finish() const;

 private:
  [[noreturn]] void fail(const char* name, std::string_view expected) const;

  const Json& json_;
  std::string what_;
  std::vector<std::string_view> known_;
};

}  // namespace vpnrun
