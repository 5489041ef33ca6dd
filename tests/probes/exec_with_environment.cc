// SPDX-License-Identifier: GPL-2.0-or-later
// Executes a command with exactly the environment that a file holds, which no shell can: names that
// are not identifiers, the same name twice, strings without '='.
//
//   exec_with_environment FILE COMMAND ARG…      (COMMAND is a path; strings in FILE end with NUL)

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <span>
#include <sstream>
#include <string>
#include <vector>

int main(int argc, char* argv[]) {
  const std::span<char*> args(argv, static_cast<std::size_t>(argc));
  if (args.size() < 3) {
    (void)std::fputs("usage: exec_with_environment FILE COMMAND ARG...\n", stderr);
    return 2;
  }
  std::ostringstream content;
  content << std::ifstream(args[1], std::ios::binary).rdbuf();
  std::string text = content.str();
  std::vector<char*> environment;
  for (std::size_t start = 0; start < text.size(); start = text.find('\0', start) + 1) {
    environment.push_back(&text[start]);
  }
  environment.push_back(nullptr);
  ::execve(args[2], args.subspan(2).data(), environment.data());
  std::perror("exec_with_environment");
  return 125;
}
