// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/client/openvpn/login_link.h"

#include <string>

#include <gtest/gtest.h>

namespace vpnrun::service::openvpn {
namespace {

TEST(LoginLink, IsOneOfHttpOrHttps) {
  for (const char* url : {"https://login.corp.example/start?id=42", "http://10.8.0.1:8080/",
                          "HTTPS://login.example", "https://[2001:db8::1]/a#b", "https://a"}) {
    EXPECT_EQ(checked_url(url), url);
  }
  for (const char* url :
       {"", "login.example", "ftp://a/", "file:///etc/passwd", "javascript:alert(1)", "https://",
        "https:///x", "https:/a", "https://?x", "https://:80/", " https://a"}) {
    EXPECT_FALSE(checked_url(url)) << url;
  }
}

TEST(LoginLink, CannotWriteOnATerminalOrLookLikeAnotherHost) {
  for (const std::string url :
       {"https://a/\x1b[2J", "https://a/\n", "https://a/ b", "https://a/\"", "https://a/`id`",
        "https://a/\x80", "https://a/<b>", "https://a/{b}", "https://a/\\b",
        "https://bank.example@evil/", "https://ex\xc3\xa4mple/"}) {
    EXPECT_FALSE(checked_url(url)) << url;
  }
  EXPECT_TRUE(checked_url("https://a/who@where"));
}

TEST(LoginLink, PastedIntoAShellRunsNothing) {
  EXPECT_EQ(checked_url("https://a/?$(touch$IFS/tmp/x);b='c'&d=!*"),
            "https://a/?%24%28touch%24IFS/tmp/x%29%3Bb=%27c%27&d=%21%2A");
  EXPECT_EQ(checked_url("https://a/?a=1&b=2,3+4~5%20#c"), "https://a/?a=1&b=2,3+4~5%20#c");
}

TEST(LoginLink, HasALimit) {
  const std::string start = "https://a/";
  EXPECT_TRUE(checked_url(start + std::string(kUrlMax - start.size(), 'x')));
  EXPECT_FALSE(checked_url(start + std::string(kUrlMax - start.size() + 1, 'x')));
  EXPECT_FALSE(checked_url(start + std::string(kUrlMax / 2, '$'))) << "as it is shown";
}

TEST(PendingLogin, HasALink) {
  for (const char* message : {"WEB_AUTH::https://a/?b=c:d", "WEB_AUTH:external:https://a/?b=c:d",
                              "OPEN_URL:https://a/?b=c:d"}) {
    const auto login = pending_login(message);
    ASSERT_TRUE(login) << message;
    EXPECT_EQ(login->url, "https://a/?b=c:d");
    EXPECT_TRUE(login->is_link);
    EXPECT_FALSE(login->wants_response);
  }
}

TEST(PendingLogin, WithALinkThatCannotBeShownHasNone) {
  const auto login = pending_login("WEB_AUTH::javascript:alert(1)");
  ASSERT_TRUE(login);
  EXPECT_TRUE(login->is_link);
  EXPECT_EQ(login->url, "");
}

TEST(PendingLogin, HasATextWithAnAnswerOrWithout) {
  const auto asks = pending_login("CR_TEXT:R,E:Your code: ?");
  ASSERT_TRUE(asks);
  EXPECT_TRUE(asks->wants_response && asks->echo && !asks->is_link);
  EXPECT_EQ(asks->text, "Your code: ?");
  const auto tells = pending_login("CR_TEXT::confirm\x1bit");
  ASSERT_TRUE(tells);
  EXPECT_FALSE(tells->wants_response || tells->echo);
  EXPECT_EQ(tells->text.find('\x1b'), std::string::npos);
}

TEST(PendingLogin, IsNothingElse) {
  EXPECT_FALSE(pending_login(""));
  EXPECT_FALSE(pending_login("hello"));
  EXPECT_FALSE(pending_login("WEB_AUTH"));
}

}  // namespace
}  // namespace vpnrun::service::openvpn
