// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/launch_environment.h"

#include <cstddef>
#include <cstring>
#include <utility>

#include "helper/base/request_format.h"

namespace vpnrun {

HelperCall::HelperCall(std::string profile, char* const* command, char* const* environment,
                       ::rlim_t stack_limit)
    : helper_name_(kHelperName), profile_(std::move(profile)) {
  arguments_ = {helper_name_.data(), profile_.data()};
  for (char* const* word = command; *word != nullptr; ++word) {
    arguments_.push_back(*word);
  }
  arguments_.push_back(nullptr);

  // All memory at once: growing costs a launch more than counting.
  std::size_t count = 1;
  std::size_t bytes = 64;
  for (char* const* variable = environment; *variable != nullptr; ++variable) {
    ++count;
    bytes += std::strlen(*variable) + 2;
  }
  marked_.reserve(bytes);
  std::vector<std::size_t> offsets;
  offsets.reserve(count);
  if (stack_limit > kStackCut) {
    marked_ = kStackLimitPrefix;
    marked_ += stack_limit == RLIM_INFINITY ? std::string(kUnlimited) : std::to_string(stack_limit);
    marked_ += '\0';
    offsets.push_back(0);
  }
  for (char* const* variable = environment; *variable != nullptr; ++variable) {
    offsets.push_back(marked_.size());
    marked_ += kEnvironmentMark;
    marked_.append(*variable, std::strlen(*variable) + 1);
  }
  environment_.reserve(offsets.size() + 1);
  for (const std::size_t offset : offsets) {  // only now: the string does not move any more
    environment_.push_back(marked_.data() + offset);
  }
  environment_.push_back(nullptr);
}

const char* environment_value(char* const* environment, std::string_view name) {
  for (char* const* variable = environment; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    if (text.size() > name.size() && text[name.size()] == '=' &&
        text.substr(0, name.size()) == name) {
      return *variable + name.size() + 1;
    }
  }
  return nullptr;
}

}  // namespace vpnrun
