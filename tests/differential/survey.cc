// SPDX-License-Identifier: GPL-2.0-or-later
// What becomes of a collection of OpenVPN files; see the script beside it.
//
//   openvpn_survey PLUGIN KEYS [--each] FOLDER…
//
// PLUGIN and KEYS are for openvpn(8), which is asked about files that ours refuses
// (openvpn_program.h).
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "profiles/base/error.h"
#include "profiles/openvpn_config.h"
#include "profiles/openvpn_directives.h"
#include "profiles/openvpn_lexer.h"
#include "systemd/service/link/remotes_check.h"
#include "tests/differential/openvpn_program.h"
#include "tests/differential/own_network.h"

namespace vpnrun::differential {
namespace {

namespace fs = std::filesystem;
using profile::Treatment;

enum class Verdict {
  kAsIs,
  kLeftOut,
  kToFillIn,
  kNotReachable,
  kDesign,
  kAsOpenvpn,
  kOtherKind,
  kTooStrict,  ///< what should not be
};

constexpr std::array<std::pair<Verdict, const char*>, 8> kNames = {{
    {Verdict::kAsIs, "accepted as it is"},
    {Verdict::kLeftOut, "accepted with lines left out"},
    {Verdict::kToFillIn, "a server that is to be filled in"},
    {Verdict::kNotReachable, "no server that the link reaches"},
    {Verdict::kDesign, "refused by design"},
    {Verdict::kAsOpenvpn, "refused as OpenVPN does"},
    {Verdict::kOtherKind, "no OpenVPN file"},
    {Verdict::kTooStrict, "refused, and OpenVPN takes it"},
}};

const char* name_of(Verdict verdict) {
  return std::find_if(kNames.begin(), kNames.end(),
                      [verdict](const auto& entry) { return entry.first == verdict; })
      ->second;
}

/// A part of each kind, for files that a collection lacks.
constexpr const char* kStandIn =
    "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n"
    "-----BEGIN PRIVATE KEY-----\nTUlJ\n-----END PRIVATE KEY-----\n"
    "-----BEGIN X509 CRL-----\nTUlJ\n-----END X509 CRL-----\n"
    "-----BEGIN OpenVPN Static key V1-----\nTUlJ\n-----END OpenVPN Static key V1-----\n"
    "-----BEGIN OpenVPN tls-crypt-v2 client key-----\nTUlJ\n"
    "-----END OpenVPN tls-crypt-v2 client key-----\n";
constexpr std::string_view kPkcs12(
    "\x30\x0F\x02\x01\x03\x30\x0A\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01"
    "\x07\x01",
    18);

std::string read_file(const fs::path& path) {
  const std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool has_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [text](std::string_view word) {
    return text.find(word) != std::string_view::npos;
  });
}

/// What vpnrun does not support, although OpenVPN does.
bool is_design(std::string_view finding) {
  return has_any(finding,
                 {"proxies are not supported", "only layer 3 tunnels", "it loads code",
                  "credentials inside the file", "smart cards", "certificate store of Windows",
                  "it would load a library", "its program would check the server",
                  "the key is in another program", "it reads another file", "open files by itself",
                  "a folder of lists", "behind the filter's back", "it is to be completed"});
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

/// What OpenVPN may be shown of a file: no line that could run, write or name anything.
std::string harmless(std::string_view text) {
  std::string result;
  profile::LineReader lines(text);
  while (const auto line = lines.next()) {
    std::vector<std::string> words;
    try {
      words = profile::split_words(*line);
    } catch (const Error&) {
      words = {};  // OpenVPN refuses it as well
    }
    std::string name = words.empty() ? std::string() : words.front();
    name.erase(0, name.size() > 2 && name.starts_with("--") ? 2 : 0);
    const bool behind_opt = words.size() > 2 && name == "setenv" && words[1] == "opt";
    const profile::Directive* known = profile::find_directive(behind_opt ? words[2] : name);
    const Treatment treatment = known == nullptr ? Treatment::kPass : known->treatment;
    const bool takes_file = treatment == Treatment::kPem || treatment == Treatment::kPemDirection ||
                            treatment == Treatment::kPemNumber ||
                            treatment == Treatment::kPemCookie || treatment == Treatment::kPkcs12 ||
                            treatment == Treatment::kAuthUserPass;
    const bool is_dropped = treatment == Treatment::kIgnore || treatment == Treatment::kLeaveOut ||
                            treatment == Treatment::kScript || treatment == Treatment::kRefuse ||
                            treatment == Treatment::kProxy || treatment == Treatment::kDnsUpdown ||
                            treatment == Treatment::kProviders || takes_file;
    if (!is_dropped) {
      result += *line;
      result += '\n';
    }
  }
  return result;
}

class Survey {
 public:
  Survey(std::string plugin, std::string keys, std::string login)
      : openvpn_(std::move(plugin), std::move(keys), std::move(login)) {}

  Verdict judge(const fs::path& path, std::string& why) {
    const std::string text = read_file(path);
    try {
      profile::OpenvpnConfig config = profile::parse_openvpn_config(
          text, path.filename().string(),
          [&path](std::string_view directive, const std::string& name) {
            std::error_code error;
            const fs::path file = path.parent_path() / name;
            if (fs::is_regular_file(file, error)) {
              return read_file(file);
            }
            return directive == "pkcs12" ? std::string(kPkcs12) : std::string(kStandIn);
          });
      try {
        profile::check_client_config(config, path.filename().string());
      } catch (const Error& error) {
        why = error.what();
        return Verdict::kAsOpenvpn;
      }
      service::leave_out_unreachable(config, path.filename().string());
      std::erase_if(config.left_out,
                    [](const LeftOut& entry) { return entry.severity == Severity::kInfo; });
      why = describe(config.left_out);
      return config.left_out.empty() ? Verdict::kAsIs : Verdict::kLeftOut;
    } catch (const Error& error) {
      why = error.what();
      return refused(text, lines_of(why));
    }
  }

 private:
  Verdict refused(const std::string& text, const std::vector<std::string>& findings) {
    const auto all = [&findings](auto test) {
      return std::all_of(findings.begin(), findings.end(), test);
    };
    const std::string_view first = findings.front();
    if (has_any(first,
                {"not an OpenVPN configuration", "the file is UTF-16", "the file is empty"})) {
      return Verdict::kOtherKind;
    }
    if (all([](const auto& one) { return has_any(one, {"names no usable server"}); })) {
      return Verdict::kNotReachable;
    }
    if (all([](const auto& one) { return has_any(one, {"is not a host", "is not a port"}); })) {
      return Verdict::kToFillIn;
    }
    if (std::any_of(findings.begin(), findings.end(), is_design)) {
      return Verdict::kDesign;
    }
    return openvpn_.read(harmless(text)).refusal.empty() && !names_dropped(findings)
               ? Verdict::kTooStrict
               : Verdict::kAsOpenvpn;
  }

  /// Lines that OpenVPN refuses in a client, and is not shown.
  static bool names_dropped(const std::vector<std::string>& findings) {
    return std::any_of(findings.begin(), findings.end(), [](const std::string& one) {
      return has_any(one, {"it is for servers", "OpenVPN has removed it", "no longer knows it",
                           "only a server may send it", "it is a command",
                           "is for OpenVPN's own use", "has no block", "has no certificate"});
    });
  }

  OpenvpnProgram openvpn_;
};

bool is_configuration(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".ovpn" || extension == ".conf";
}

int run(const std::vector<std::string>& arguments) {
  const TemporaryFolder place;
  write_file(place.path() + "/login", "user\npassword\n");
  enter_own_network();
  Survey survey(arguments.at(0), arguments.at(1), place.path() + "/login");
  bool each = false;
  std::map<Verdict, std::size_t> counts;
  std::size_t sum = 0;
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    if (arguments[i] == "--each") {
      each = true;
      continue;
    }
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(arguments[i])) {
      if (entry.is_regular_file() && is_configuration(entry.path())) {
        files.push_back(entry.path());
      }
    }
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) {
      std::string why;
      const Verdict verdict = survey.judge(file, why);
      ++counts[verdict];
      ++sum;
      if (each) {
        (void)std::printf("%s: %s%s%s\n", printable(file.string()).c_str(), name_of(verdict),
                          why.empty() ? "" : ": ", printable(one_line(why)).c_str());
      }
    }
  }
  (void)std::printf("| %-31s | count |\n| ------------------------------- | ----- |\n", "verdict");
  for (const auto& [verdict, name] : kNames) {
    (void)std::printf("| %-31s | %5zu |\n", name, counts[verdict]);
  }
  (void)std::printf("| %-31s | %5zu |\n", "all", sum);
  return 0;
}

}  // namespace
}  // namespace vpnrun::differential

int main(int argc, char** argv) {
  try {
    if (argc < 4) {
      (void)std::fputs("usage: openvpn_survey PLUGIN KEYS [--each] FOLDER...\n", stderr);
      return 2;
    }
    return vpnrun::differential::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    (void)std::fprintf(stderr, "openvpn_survey: %s\n", error.what());
    return 1;
  }
}
