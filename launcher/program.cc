// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/program.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "helper/base/unique_fd.h"
#include "launcher/launch_environment.h"

namespace vpnrun {
namespace {

bool is_program(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
         ::access(path.c_str(), X_OK) == 0;
}

/// The first path that `command` can have by PATH and that `fits`; empty if there is none.
template <class Fits>
std::string search_path(const std::string& command, char* const* environment, Fits fits) {
  const char* variable = environment_value(environment, "PATH");
  std::string_view folders = variable == nullptr ? "/bin:/usr/bin" : variable;
  for (bool more = !command.empty(); more;) {
    const std::size_t end = std::min(folders.find(':'), folders.size());
    std::string path(folders.substr(0, end));
    more = end < folders.size();
    folders.remove_prefix(more ? end + 1 : end);
    path += (path.empty() ? "" : "/") + command;
    if (fits(path)) {
      return path;
    }
  }
  return {};
}

std::string without_links(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), std::free);
  return real ? std::string(real.get()) : std::string();
}

/// Empty if it cannot be read.
std::string beginning_of(const std::string& path) {
  constexpr std::size_t kEnough = 4096;
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd.ok()) {
    return {};
  }
  std::string text(kEnough, '\0');
  const ssize_t size = ::read(fd.get(), text.data(), text.size());
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  return text;
}

/// Takes the next word, ended by blanks, off `line`; empty at its end.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(" \t"));
  line.remove_prefix(word.size());
  return word;
}

}  // namespace

Program find_program(const std::string& command, char* const* environment) {
  const std::string found = command.find('/') != std::string::npos
                                ? command
                                : search_path(command, environment, is_program);
  Program program;
  program.path = found.empty() ? std::string() : without_links(found);
  if (!program.path.empty()) {
    program.beginning = beginning_of(program.path);
  }
  return program;
}

bool is_in_path(const std::string& command, char* const* environment) {
  return !search_path(command, environment, [](const std::string& path) {
            return ::access(path.c_str(), F_OK) == 0;
          }).empty();
}

std::optional<Program> interpreter_of(const Program& script, char* const* environment) {
  std::string_view line = script.beginning;
  if (!line.starts_with("#!")) {
    return std::nullopt;
  }
  line = line.substr(2, line.find('\n') - 2);
  std::string_view word = take_word(line);
  if (command_name(word) == "env") {
    do {  // options of env, and variables that it sets
      word = take_word(line);
    } while (word.starts_with('-') || word.find('=') != std::string_view::npos);
  }
  return find_program(std::string(word), environment);
}

std::string_view command_name(std::string_view command) noexcept {
  return command.substr(command.rfind('/') + 1);
}

}  // namespace vpnrun
