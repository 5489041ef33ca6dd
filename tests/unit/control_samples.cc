// SPDX-License-Identifier: GPL-2.0-or-later
// What the encoders of the control protocol write, for control_schema_test.py:
//   control_samples          prints lines "KIND<tab>JSON"
//   control_samples parse    reads such lines and prints for each whether the parsers take it: ok,
//   no
#include <iostream>
#include <string>
#include <string_view>

#include "profiles/base/error.h"
#include "profiles/protocol/control_message.h"
#include "profiles/protocol/features.h"

namespace {

using namespace vpnrun;  // NOLINT(google-build-using-namespace): nothing else is here

void print(std::string_view kind, std::string_view text) {
  std::cout << kind << '\t' << text << (text.ends_with('\n') ? "" : "\n");
}

void print_requests() {
  for (const Command command :
       {Command::kStatus, Command::kUp, Command::kDown, Command::kRestart, Command::kHello,
        Command::kAnswer, Command::kInbound, Command::kLog}) {
    for (const bool follow : {false, true}) {
      ControlRequest request;
      request.command = command;
      request.follow = follow;
      request.asks = follow;
      print("request", encode(request));
    }
  }
  ControlRequest answer;
  answer.command = Command::kAnswer;
  answer.question_id = 18446744073709551615U;
  answer.user_name = Secret("alice");
  answer.password = Secret("東京 \"\\");
  answer.response = Secret("123456");
  print("request", encode(answer));
  ControlRequest inbound;
  inbound.command = Command::kInbound;
  inbound.add = {{Transport::kTcp, 51413}, {Transport::kUdp, 1}};
  inbound.remove = {{Transport::kTcp, 65535}};
  print("request", encode(inbound));
  ControlRequest log;
  log.command = Command::kLog;
  log.after = 500;
  print("request", encode(log));
}

void print_status(const Status& status) {
  print("status", to_json(status));
  ControlReply reply;
  reply.status = status;
  print("reply", encode(reply, Audience::kStrict));
  reply.status.version = VPNRUN_VERSION;
  reply.status.features = feature::own();
  reply.status.inbound = {"tcp/51413", "udp/1"};
  print("reply", encode(reply, Audience::kTolerant));
}

void print_statuses() {
  Status status;
  print_status(status);
  status.login_url = "https://login.example/?id=42";
  print_status(status);
  status.login_url.clear();
  status.profile = "work";
  for (const State state :
       {State::kDown, State::kStarting, State::kUp, State::kReconnecting, State::kFailed}) {
    status.state = state;
    print_status(status);
  }
  status.since = 1700000000;
  status.pid = 4242;
  status.tunnel_type = "openvpn";
  status.device = "tun0";
  status.addresses = {"10.8.0.2/24", "fd00::2/64"};
  status.dns = {"10.8.0.1", "fd00::1"};
  status.endpoint = "[2001:db8::1]:1194/udp";
  status.endpoint_name = "vpn.example.org";
  status.mtu = 1420;
  status.error = "no \xFF answer\n";
  status.hint = "wait";
  status.attempt = 7;
  print_status(status);
  status.left_out = {{"up", {9, 10}, "no \xFF script", Severity::kWarning, "work.ovpn"},
                     {"credentials", {}, "nobody asks", Severity::kNotice, "work.toml"},
                     {"persist-tun", {4}, "", Severity::kInfo, "work.ovpn"}};
  status.exceptions = {{"application.i386", "do more"}};
  status.warnings = {"work.toml:12:10: [access] users names 'x', which does not exist"};
  print_status(status);
  status.question = CredentialQuestion{3, "user name and password for 'work'", true, true};
  print_status(status);
  status.question->wants_response = true;
  status.question->challenge = "PIN?";
  print_status(status);
}

void print_refusals() {
  ControlReply refusal;
  refusal.ok = false;
  refusal.error = "cannot go up";
  print("reply", encode(refusal, Audience::kStrict));
  refusal.unknown = "server";
  print("reply", encode(refusal, Audience::kStrict));
  print("reply", encode(refusal, Audience::kTolerant));
}

void print_log() {
  ControlReply reply;
  reply.status.version = VPNRUN_VERSION;
  reply.status.features = feature::own();
  reply.log.emplace();
  print("reply", encode(reply, Audience::kTolerant));
  for (const char* level : {"info", "warning", "error"}) {
    reply.log->push_back({reply.log->size() + 1, 1700000000, level, "'work' \xFF is up"});
  }
  print("reply", encode(reply, Audience::kTolerant));
  print("reply", encode(reply, Audience::kStrict));
}

bool is_taken(std::string_view kind, std::string_view text) {
  try {
    if (kind == "request") {
      (void)parse_request(text);
    } else if (kind == "reply") {
      (void)parse_reply(text);
    } else {
      (void)status_from_json(text);
    }
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

int main(int argc, char** /*argv*/) {
  if (argc == 1) {
    print_requests();
    print_statuses();
    print_refusals();
    print_log();
    return 0;
  }
  for (std::string line; std::getline(std::cin, line);) {
    const std::size_t tab = line.find('\t');
    const std::string_view whole(line);
    std::cout << (is_taken(whole.substr(0, tab), whole.substr(tab + 1)) ? "ok\n" : "no\n");
  }
  return 0;
}
