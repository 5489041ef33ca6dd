// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/link/resolver.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/base/error.h"
#include "tests/unit/failing_call.h"

namespace vpnrun::service {
namespace {

/// What the program writes about these names.
std::string looked_up(const std::string& names) {
  const UniqueFd input = memory_file("names", names);
  std::array<int, 2> pipe{};
  EXPECT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  const UniqueFd read_end(pipe[0]);
  UniqueFd write_end(pipe[1]);
  EXPECT_EQ(look_up_main(input.get(), write_end.get()), 0);
  write_end.reset();
  std::array<char, 4096> text{};
  const ssize_t got = ::read(read_end.get(), text.data(), text.size());
  return {text.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

TEST(LookUp, AnswersANameALine) {
  EXPECT_EQ(looked_up("192.0.2.1\n192.0.2.2\n"), "a 192.0.2.1 192.0.2.1\na 192.0.2.2 192.0.2.2\n");
}

TEST(LookUp, SaysWhyNot) {
  EXPECT_THAT(looked_up("no/name\n"), ::testing::StartsWith("e no/name "));
}

/// With a program that answers as it likes in place of the real one.
Resolver::Result answered_by(const std::string& script) {
  std::string path = "/tmp/look-up-XXXXXX";
  {
    const UniqueFd file(::mkstemp(path.data()));
    const std::string text = "#!/bin/sh\n" + script + "\n";
    EXPECT_EQ(::write(file.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    EXPECT_EQ(::fchmod(file.get(), 0755), 0);
  }
  EventLoop loop;
  Resolver resolver(loop, {65534, 65534}, path);
  Resolver::Result result;
  resolver.look_up({"one.example", "two.example"}, [&](const Resolver::Result& found) {
    result = found;
    loop.stop();
  });
  loop.run();
  (void)::unlink(path.c_str());
  return result;
}

TEST(Resolver, TellsNamesToItsProgramAndTakesWhatItSays) {
  const auto result =
      answered_by(R"(read name; echo "a $name 192.0.2.7"; read name; echo "e $name no")");
  EXPECT_THAT(result.addresses.at("one.example"),
              ::testing::ElementsAre(IpAddress::parse("192.0.2.7")));
  EXPECT_EQ(result.errors.at("two.example"), "no");
}

TEST(Resolver, TakesNoPartOfALine) {
  const auto result = answered_by("printf 'a one.example 192.0.2.17\\na two.example 192.0.2.1'");
  EXPECT_EQ(result.addresses.size(), 1U);
  EXPECT_EQ(result.addresses.count("one.example"), 1U);
}

TEST(Resolver, NoChildIsLeftByALookUpThatCannotBeFollowed) {
  run_in_child({}, [] {
    EventLoop loop;
    Resolver resolver(loop, {65534, 65534}, "/bin/cat");
    test::let_fail(SYS_epoll_ctl, ENOSPC);
    bool refused = false;
    try {
      resolver.look_up({"one.example"}, [](const Resolver::Result&) {});
    } catch (const Error& error) {
      refused = error.code() == std::errc::no_space_on_device;
    }
    if (!refused) {
      throw Error("it is looked up all the same");
    }
    if (::waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD) {
      throw Error("it lives on");
    }
  });
}

TEST(Resolver, AProgramThatSaysTooMuchIsNotHeardToItsEnd) {
  const auto result = answered_by("yes 'e one.example no'");
  EXPECT_EQ(result.errors.at("one.example"), "no");
}

}  // namespace
}  // namespace vpnrun::service
