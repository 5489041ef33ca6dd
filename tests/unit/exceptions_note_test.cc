// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/exceptions_note.h"

#include <gtest/gtest.h>

namespace vpnrun {
namespace {

TEST(ExceptionsNote, IsEmptyWhereNothingIsOpened) {
  EXPECT_EQ(exceptions_note(Status{}), "");
}

TEST(ExceptionsNote, NamesWhatIsOpenAndTheKeys) {
  Status status;
  status.profile = "web";
  status.exceptions = {{"access.from_namespaces", "come from elsewhere"},
                       {"ports.expose", "be reached from this machine at tcp/9091"}};
  status.inbound = {"tcp/51413", "udp/51413"};
  EXPECT_EQ(exceptions_note(status),
            "exceptions of profile 'web': its programs can come from elsewhere "
            "(access.from_namespaces); be reached from this machine at tcp/9091 (ports.expose); be "
            "reached through the tunnel at tcp/51413, udp/51413 (ports.inbound)");
}

TEST(ExceptionsNote, LeavesWhatEachLaunchWarnsOf) {
  Status status;
  status.exceptions = {{"application.i386", "make sockets of every family"}};
  EXPECT_EQ(exceptions_note(status), "");
}

TEST(ExceptionsNote, HasNoControlCharacters) {
  Status status;
  status.profile = "a\x1b[31m";
  status.exceptions = {{"k\n", "o\r"}};
  status.inbound = {"tcp/1\x7f"};
  for (const char c : exceptions_note(status)) {
    EXPECT_GE(static_cast<unsigned char>(c), 0x20U);
    EXPECT_NE(c, '\x7f');
  }
}

}  // namespace
}  // namespace vpnrun
