// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/protocol/control_message.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/base/error.h"

namespace vpnrun {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string without_line_end(const std::string& line) {
  EXPECT_TRUE(line.ends_with('\n'));
  EXPECT_EQ(line.find('\n'), line.size() - 1) << "a message is one line";
  return line.substr(0, line.size() - 1);
}

std::string request_error(const std::string& line) {
  try {
    (void)parse_request(line);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string reply_error(const std::string& line) {
  try {
    (void)parse_reply(line);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(ControlMessage, RequestLooksAsDocumented) {
  ControlRequest request;
  request.command = Command::kUp;
  request.follow = true;
  EXPECT_EQ(encode(request), "{\"command\":\"up\",\"follow\":true}\n");
}

TEST(ControlMessage, EveryCommandComesBack) {
  for (const Command command :
       {Command::kStatus, Command::kUp, Command::kDown, Command::kRestart, Command::kAnswer,
        Command::kHello, Command::kInbound, Command::kLog}) {
    ControlRequest request;
    request.command = command;
    EXPECT_EQ(parse_request(without_line_end(encode(request))).command, command);
  }
}

TEST(ControlMessage, AnswerComesBackWithItsSecretUnchanged) {
  ControlRequest request;
  request.command = Command::kAnswer;
  request.question_id = 12345678901234567890U;
  request.user_name = Secret("alice@example.org");
  request.password = Secret(R"(pass "word\ with 東京)");
  const ControlRequest after = parse_request(without_line_end(encode(request)));
  EXPECT_EQ(after.question_id, request.question_id);
  EXPECT_EQ(after.user_name, request.user_name);
  EXPECT_EQ(after.password, request.password);
}

TEST(ControlMessage, TheLogComesBackForWhoHasSaidHelloAndForNobodyElse) {
  ControlRequest request;
  request.command = Command::kLog;
  request.after = 12345678901234567890U;
  EXPECT_EQ(parse_request(without_line_end(encode(request))).after, request.after);
  EXPECT_THAT(request_error(R"({"command":"status","after":1})"),
              HasSubstr("unknown member 'after'"));
  ControlReply reply;
  reply.log = {{1, 1700000000, "info", "'work' is \"up\""}, {7, 1700000009, "error", "no answer"}};
  EXPECT_EQ(parse_reply(without_line_end(encode(reply, Audience::kTolerant))).log, reply.log);
  EXPECT_EQ(parse_reply(without_line_end(encode(reply, Audience::kStrict))).log, std::nullopt);
  reply.log->clear();
  EXPECT_EQ(parse_reply(without_line_end(encode(reply, Audience::kTolerant))).log, reply.log);
  EXPECT_THAT(reply_error(R"({"ok":true,"log":[{"number":1}]})"), HasSubstr("'time' is missing"));
  EXPECT_THAT(reply_error(R"({"ok":true,"log":{}})"), HasSubstr("'log' must be an array"));
}

TEST(ControlMessage, OnlyAnAnswerCarriesCredentials) {
  ControlRequest request;
  request.command = Command::kUp;
  request.password = Secret("hunter2");
  EXPECT_THAT(encode(request), Not(HasSubstr("hunter2")));
  EXPECT_THAT(request_error(R"({"command":"up","password":"x"})"),
              HasSubstr("unknown member 'password'"));
}

TEST(ControlMessage, RefusesControlCharactersInCredentials) {
  EXPECT_THAT(
      request_error(R"({"command":"answer","question_id":1,"password":"a\nsignal SIGHUP"})"),
      HasSubstr("'password': it has a control character"));
  EXPECT_THAT(request_error(R"({"command":"answer","question_id":1,"user_name":"a\u0000b"})"),
              HasSubstr("'user_name': it has a control character"));
  ControlRequest request;
  request.command = Command::kAnswer;
  request.password = Secret("a\nb");
  EXPECT_THROW((void)encode(request), Error);
}

TEST(ControlMessage, RefusesToSendAPasswordThatJsonWouldChange) {
  ControlRequest request;
  request.command = Command::kAnswer;
  request.password = Secret("p\xE4ss");
  EXPECT_THROW((void)encode(request), Error);
}

TEST(ControlMessage, NeverRepeatsASecretInAnError) {
  for (const char* line : {R"({"command":"answer","question_id":1,"password":"hunter2)",
                           R"({"command":"answer","question_id":1,"password":["hunter2"]})",
                           R"({"command":"answer","question_id":"hunter2"})",
                           R"({"command":"answer","question_id":1,"password":"hunter2\n"})"}) {
    EXPECT_THAT(request_error(line), Not(HasSubstr("hunter2")));
    EXPECT_THAT(request_error(line), HasSubstr("cannot "));
  }
}

TEST(ControlMessage, RefusesMalformedRequests) {
  EXPECT_THAT(request_error(""), HasSubstr("malformed JSON"));
  EXPECT_THAT(request_error("[]"), HasSubstr("expected a JSON object"));
  EXPECT_THAT(request_error("{}"), HasSubstr("'command' is missing"));
  EXPECT_THAT(request_error(R"({"command":1})"), HasSubstr("'command' must be a string"));
  EXPECT_THAT(request_error(R"({"command":"explode"})"), HasSubstr("unknown command 'explode'"));
  EXPECT_THAT(request_error(R"({"command":"up","follow":1})"), HasSubstr("'follow' must be"));
  EXPECT_THAT(request_error(R"({"command":"up","x":1})"), HasSubstr("unknown member 'x'"));
  EXPECT_THAT(request_error(R"({"command":"answer"})"), HasSubstr("'question_id' is missing"));
  EXPECT_THAT(request_error(R"({"command":"answer","question_id":-1})"), HasSubstr("must be"));
  EXPECT_THAT(request_error(R"({"command":"up"}{"command":"down"})"), HasSubstr("malformed"));
  EXPECT_THAT(request_error(std::string(100000, '[')), HasSubstr("malformed"));
}

TEST(ControlMessage, ReplyComesBackWithItsStatus) {
  ControlReply reply;
  reply.status.profile = "work";
  reply.status.state = State::kUp;
  const ControlReply after = parse_reply(without_line_end(encode(reply, Audience::kTolerant)));
  EXPECT_TRUE(after.ok);
  EXPECT_EQ(after.status.profile, "work");
  EXPECT_EQ(after.status.state, State::kUp);
}

TEST(ControlMessage, FailedReplyComesBackWithItsReason) {
  ControlReply reply;
  reply.ok = false;
  reply.error = "cannot go up";
  reply.hint = "plug it in";
  const ControlReply after = parse_reply(without_line_end(encode(reply, Audience::kTolerant)));
  EXPECT_FALSE(after.ok);
  EXPECT_EQ(after.error, "cannot go up");
  EXPECT_EQ(after.hint, "plug it in");
}

TEST(ControlMessage, RefusesMalformedReplies) {
  EXPECT_THAT(reply_error("{}"), HasSubstr("'ok' is missing"));
  EXPECT_THAT(reply_error(R"({"ok":"yes"})"), HasSubstr("'ok' must be true or false"));
  EXPECT_THAT(reply_error(R"({"ok":true,"status":[]})"), HasSubstr("expected a JSON object"));
}

/// What a companion of a much later version might say.
ControlReply later_reply() {
  return parse_reply(R"({"ok":false,"error":"no","colour":{"red":[1,2]},"unknown":"server",
    "status":{"profile":"work","state":"hibernating","ports":[{"port":1}],"features":["tea"],
    "question":{"id":7,"text":"touch it","wants_password":false,"wants_touch":true}}})");
}

TEST(ControlMessage, WhatCameLaterDoesNotMakeAReplyUnreadable) {
  const ControlReply reply = later_reply();
  EXPECT_EQ(reply.error, "no");
  EXPECT_EQ(reply.unknown, "server");
  EXPECT_EQ(reply.status.profile, "work");
  EXPECT_EQ(reply.status.state, State::kUnknown);
  EXPECT_EQ(reply.status.question.value().id, 7U);
  EXPECT_FALSE(reply.status.question->can_be_answered());
}

TEST(ControlMessage, WhatIsKnownKeepsItsTypeInALaterReply) {
  EXPECT_THAT(reply_error(R"({"ok":true,"x":1,"status":{"mtu":"x"}})"), HasSubstr("'mtu' must be"));
  EXPECT_THAT(reply_error(R"({"ok":true,"status":{"features":["a",1]}})"),
              HasSubstr("'features' must be an array of strings"));
  EXPECT_THAT(reply_error(R"({"ok":false,"unknown":1})"), HasSubstr("'unknown' must be a string"));
  EXPECT_THAT(reply_error(R"({"ok":true,"status":{"state":1}})"), HasSubstr("'state' must be"));
}

TEST(ControlMessage, AStrictReaderGetsTheMembersOfTheFirstVersionAndNoOther) {
  ControlReply reply;
  reply.ok = false;
  reply.error = "cannot parse request: unknown member 'tea'";
  reply.unknown = "tea";
  reply.status.profile = "work";
  reply.status.version = "9.9";
  reply.status.features = {"tea"};
  reply.status.question = CredentialQuestion{
      .id = 3, .text = "who?", .wants_response = true, .challenge = "PIN", .echo = true};
  EXPECT_EQ(encode(reply, Audience::kStrict),
            R"({"ok":false,"error":"cannot parse request: unknown member 'tea'","hint":"",)"
            R"("status":{"profile":"work","state":"down","since":0,"pid":0,"tunnel_type":"",)"
            R"("device":"","addresses":[],"dns":[],"endpoint":"","endpoint_name":"","mtu":0,)"
            R"("error":"","hint":"","attempt":0,"question":{"id":3,"text":"who?",)"
            R"("wants_user_name":false,"wants_password":true,"wants_response":true,)"
            R"("challenge":"PIN","echo":true}}})"
            "\n");
  EXPECT_THAT(encode(reply, Audience::kTolerant),
              testing::AllOf(HasSubstr(R"("unknown":"tea")"), HasSubstr(R"("version":"9.9")"),
                             HasSubstr(R"("features":["tea"])")));
}

TEST(ControlMessage, AStrictReaderIsNotAskedWhatItCannotAnswer) {
  ControlReply reply;
  reply.status.question = CredentialQuestion{.id = 3, .text = "touch it", .wants_password = false};
  EXPECT_THAT(encode(reply, Audience::kStrict), Not(HasSubstr("question")));
  EXPECT_THAT(encode(reply, Audience::kTolerant), HasSubstr("touch it"));
}

TEST(ControlMessage, ARefusalNamesWhatTheCompanionDoesNotKnow) {
  const auto name_of = [](const std::string& line) {
    try {
      (void)parse_request(line);
    } catch (const UnknownInRequest& error) {
      return error.name();
    }
    return std::string("not refused for that");
  };
  EXPECT_EQ(name_of(R"({"command":"up","server":"se-1"})"), "server");
  EXPECT_EQ(name_of(R"({"command":"explode"})"), "explode");
  EXPECT_EQ(name_of(R"({"command":"hello","accepts":1})"), "accepts");
}

TEST(ControlMessage, ARefusalOfTheFirstVersionNamesItInItsWords) {
  const auto unknown_in = [](const std::string& error) {
    ControlReply reply;
    reply.ok = false;
    reply.error = error;
    return parse_reply(without_line_end(encode(reply, Audience::kStrict))).unknown;
  };
  EXPECT_EQ(unknown_in("cannot parse request: unknown command 'hello'"), "hello");
  EXPECT_EQ(unknown_in("cannot parse request: unknown member 'server'"), "server");
  EXPECT_EQ(unknown_in("cannot parse request: unknown member '"), "");
  EXPECT_EQ(unknown_in("cannot parse request: 'follow' must be true or false"), "");
}

TEST(ControlMessage, LongestAnswerThatMakesSenseFitsTheLine) {
  ControlRequest request;
  request.command = Command::kAnswer;
  request.user_name = Secret(std::string(512, 'u'));
  request.password = Secret(std::string(1024, '"'));
  EXPECT_LE(encode(request).size(), kControlLineMax);
}

TEST(ControlMessage, WhatIsNewIsWrittenOnlyWhereItIsUsed) {
  ControlRequest request;
  request.command = Command::kUp;
  request.follow = true;
  EXPECT_EQ(encode(request), "{\"command\":\"up\",\"follow\":true}\n");
  request.asks = true;
  EXPECT_EQ(encode(request), "{\"command\":\"up\",\"follow\":true,\"asks\":true}\n");
  EXPECT_TRUE(parse_request(R"({"command":"up","follow":true,"asks":true})").asks);
  EXPECT_FALSE(parse_request(R"({"command":"up","follow":true})").asks);

  ControlRequest answer;
  answer.command = Command::kAnswer;
  EXPECT_THAT(encode(answer), testing::Not(HasSubstr("response")));
  answer.response = Secret("123456");
  EXPECT_EQ(parse_request(encode(answer)).response, "123456");
}

TEST(ControlMessage, PortsComeBackAndNothingElsePasses) {
  ControlRequest request;
  request.command = Command::kInbound;
  request.add = {{Transport::kTcp, 51413}};
  request.remove = {{Transport::kUdp, 1}, {Transport::kTcp, 65535}};
  EXPECT_EQ(
      encode(request),
      "{\"command\":\"inbound\",\"add\":[\"tcp/51413\"],\"remove\":[\"udp/1\",\"tcp/65535\"]}\n");
  const ControlRequest back = parse_request(without_line_end(encode(request)));
  EXPECT_EQ(back.add, request.add);
  EXPECT_EQ(back.remove, request.remove);
  for (const char* wrong :
       {R"({"command":"inbound","add":["51413"]})", R"({"command":"inbound","add":["tcp/0"]})",
        R"({"command":"inbound","add":["tcp/65536"]})",
        R"({"command":"inbound","add":["tcp/1 }"]})", R"({"command":"inbound","add":"tcp/1"})",
        R"({"command":"inbound","remove":[1]})", R"({"command":"up","add":["tcp/1"]})"}) {
    EXPECT_NE(request_error(wrong), "") << wrong;
  }
  EXPECT_TRUE(is_for_root(request));
  EXPECT_FALSE(is_for_root(ControlRequest{}));
}

TEST(ControlMessage, AResponseIsNoOrderEither) {
  EXPECT_THAT(
      request_error(R"({"command":"answer","question_id":1,"response":"1\nsignal SIGHUP"})"),
      HasSubstr("'response'"));
  EXPECT_THAT(request_error(R"({"command":"answer","question_id":1,"response":7})"),
              HasSubstr("must be"));
  ControlRequest answer;
  answer.command = Command::kAnswer;
  answer.response = Secret("1\n");
  EXPECT_THROW((void)encode(answer), Error);
}

}  // namespace
}  // namespace vpnrun
