// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "helper/base/runtime_layout.h"
#include "launcher/places.h"
#include "launcher/read_file.h"
#include "tests/unit/quiet_fork.h"
#include "tests/unit/scratch_folder.h"

namespace vpnrun::test {

/// What a program left behind: its exit status (128 + N for signal N) and its words.
struct Outcome {
  int status = -1;
  std::string out;
  std::string err;
};

/// Strings as argv and environ have them. The object owns them.
class Words {
 public:
  explicit Words(std::vector<std::string> words) : words_(std::move(words)) {
    for (std::string& word : words_) {
      pointers_.push_back(word.data());
    }
    pointers_.push_back(nullptr);
  }
  [[nodiscard]] char* const* data() const { return pointers_.data(); }
  [[nodiscard]] int count() const { return static_cast<int>(words_.size()); }

 private:
  std::vector<std::string> words_;
  std::vector<char*> pointers_;
};

/// The words of a command line, the program's name in front.
inline std::vector<std::string> command_line(const std::string& program,
                                             const std::vector<std::string>& words) {
  std::vector<std::string> line{program};
  line.insert(line.end(), words.begin(), words.end());
  return line;
}

/// The places of a machine that has nothing yet, in a folder of its own. No systemd, no password
/// agents.
class Machine {
 public:
  using Program = int (*)(int, char* const*, char* const*, const Places&);

  Machine()
      : places{.runtime_root = folder / "run",
               .profile_folder = folder / "profiles",
               .system_config = folder / "config.toml",
               .helper = folder / "helper",
               .systemd_marker = folder / "systemd",
               .password_agents = folder / "agents"} {
    std::filesystem::create_directory(places.runtime_root);
    std::filesystem::create_directory(places.profile_folder);
  }

  void add_profile(const std::string& name, const std::string& description = "") const {
    folder.write("profiles/" + name + ".toml",
                 "description = \"" + description + "\"\n[tunnel]\ntype = \"none\"\n");
  }
  void prepare(const std::string& name) const {
    std::filesystem::create_directory(folder / "run" / name);
  }
  /// The record says that this process is inside `name`. It counts only if root wrote it.
  void record_this_process(const std::string& name) const {
    const auto identity = [](const char* path) {
      struct stat info {};
      (void)::stat(path, &info);
      return FileId{.dev = info.st_dev, .ino = info.st_ino};
    };
    Origin origin;
    origin.netns = identity("/proc/self/ns/net");
    origin.view = identity("/proc/self/ns/mnt");
    write_record(name, origin);
  }
  void write_record(const std::string& name, const Origin& origin) const {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): a record of bytes
    const auto* bytes = reinterpret_cast<const char*>(&origin);
    const std::string path = "run/" + name + "/" + kOriginEntry;
    folder.write(path, {bytes, sizeof(origin)});
    (void)::chmod((folder / path).c_str(), 0444);
  }
  [[nodiscard]] std::string control(const std::string& name) const {
    return folder / "run" / name / "control";
  }
  void write_helper(const std::string& script) const {
    folder.write("helper", "#!/bin/sh\n" + script);
    (void)::chmod(places.helper.c_str(), 0755);
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    return read_file(folder / name, 1U << 20U).value_or(std::string());
  }

  /// Runs `program` in a process of its own, in a session without terminal.
  [[nodiscard]] Outcome run(Program program, std::vector<std::string> words,
                            std::vector<std::string> environment = {}) const {
    const Words arguments(std::move(words));
    const Words variables(std::move(environment));
    std::unique_lock quiet(work());
    const pid_t child = ::fork();
    if (child == 0) {
      (void)::setsid();
      redirect("out", STDOUT_FILENO);
      redirect("err", STDERR_FILENO);
      ::_exit(program(arguments.count(), arguments.data(), variables.data(), places));
    }
    quiet.unlock();
    int status = 0;
    (void)::waitpid(child, &status, 0);
    return {.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
            .out = read("out"),
            .err = read("err")};
  }

  ScratchFolder folder;
  Places places;

 private:
  void redirect(const std::string& name, int fd) const {
    const int file =
        ::open((folder / name).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    (void)::dup2(file, fd);
    (void)::close(file);
  }
};

}  // namespace vpnrun::test
