// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/protocol/json_fields.h"

#include <algorithm>

namespace vpnrun {

Json parse_json(std::string_view text, std::string_view what) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    throw Error(formatted("cannot parse {}: malformed JSON at byte {}", what, error.byte));
  } catch (const Json::exception&) {
    throw Error(formatted("cannot parse {}: malformed JSON", what));
  }
}

std::string dump_json(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

JsonFields::JsonFields(const Json& json, std::string_view what) : json_(json), what_(what) {
  if (!json.is_object()) {
    throw Error(formatted("cannot parse {}: expected a JSON object", what));
  }
}

void JsonFields::fail(const char* name, std::string_view expected) const {
  throw Error(formatted("cannot parse {}: '{}' must be {}", what_, name, expected));
}

const Json* JsonFields::find(const char* name) {
  known_.emplace_back(name);
  const auto member = json_.find(name);
  return member == json_.end() ? nullptr : &*member;
}

const Json& JsonFields::require(const char* name) {
  const Json* member = find(name);
  if (member == nullptr) {
    throw Error(formatted("cannot parse {}: '{}' is missing", what_, name));
  }
  return *member;
}

void JsonFields::get(const char* name, bool& out) {
  if (const Json* member = find(name)) {
    if (!member->is_boolean()) {
      fail(name, "true or false");
    }
    out = member->get<bool>();
  }
}

void JsonFields::get(const char* name, std::string& out) {
  if (const Json* member = find(name)) {
    if (!member->is_string()) {
      fail(name, "a string");
    }
    out = member->get_ref<const std::string&>();
  }
}

void JsonFields::get(const char* name, std::vector<std::string>& out) {
  const Json* member = find(name);
  if (member == nullptr) {
    return;
  }
  if (!member->is_array()) {
    fail(name, "an array of strings");
  }
  std::vector<std::string> values;
  for (const Json& element : *member) {
    if (!element.is_string()) {
      fail(name, "an array of strings");
    }
    values.push_back(element.get_ref<const std::string&>());
  }
  out = std::move(values);
}

void JsonFields::get(const char* name, std::vector<std::uint32_t>& out) {
  const Json* member = find(name);
  if (member == nullptr) {
    return;
  }
  constexpr const char* kExpected = "an array of integers from 0 to 4294967295";
  if (!member->is_array()) {
    fail(name, kExpected);
  }
  std::vector<std::uint32_t> values;
  for (const Json& element : *member) {
    if (!element.is_number_unsigned() ||
        element.get<std::uint64_t>() > std::numeric_limits<std::uint32_t>::max()) {
      fail(name, kExpected);
    }
    values.push_back(element.get<std::uint32_t>());
  }
  out = std::move(values);
}

void JsonFields::get(const char* name, std::int64_t& out) {
  if (const Json* member = find(name)) {
    // An unsigned number above the range would silently turn negative.
    if (!member->is_number_integer() ||
        (member->is_number_unsigned() &&
         member->get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max())) {
      fail(name, "an integer");
    }
    out = member->get<std::int64_t>();
  }
}

void JsonFields::get(const char* name, std::uint64_t& out) {
  if (const Json* member = find(name)) {
    if (!member->is_number_unsigned()) {
      fail(name, "an integer of at least 0");
    }
    out = member->get<std::uint64_t>();
  }
}

void JsonFields::get(const char* name, std::uint32_t& out) {
  std::uint64_t value = out;
  get(name, value);
  if (value > std::numeric_limits<std::uint32_t>::max()) {
    fail(name, "an integer of at most 4294967295");
  }
  out = static_cast<std::uint32_t>(value);
}

void JsonFields::finish() const {
  for (const auto& [name, value] : json_.items()) {
    if (std::find(known_.begin(), known_.end(), name) == known_.end()) {
      throw UnknownInRequest(
          formatted("cannot parse {}: unknown member '{}'", what_, printable(name)), name);
    }
  }
}

}  // namespace vpnrun
