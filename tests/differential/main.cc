// SPDX-License-Identifier: GPL-2.0-or-later
// What profiles/openvpn_*.cc makes of generated OpenVPN files, against what openvpn(8) makes of
// them: lines, words, quotes, blocks, NULs, servers, and that what is handed on arrives as it was
// meant. And what arrives of a password that quote() of systemd/service/openvpn hands on.
//
//   openvpn_differential PLUGIN FOLDER --files COUNT | --seconds COUNT [--seed NUMBER] [SAMPLE…]
//
// Ours may refuse more; what it takes has to mean the same. Ends with 1 if it does not, if nothing
// was compared, or if the planted mistakes were not found. Runs in a network namespace of its own.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "profiles/base/error.h"
#include "systemd/service/client/openvpn/management.h"
#include "tests/differential/comparison.h"
#include "tests/differential/generator.h"
#include "tests/differential/management_client.h"
#include "tests/differential/openvpn_program.h"
#include "tests/differential/own_network.h"

namespace vpnrun::differential {
namespace {

using Kind = Verdict::Kind;

/// Of a line: "plugin", its path, and two more. A single word would be split once more by OpenVPN.
constexpr std::size_t kFewest = 4;
constexpr std::size_t kFilesOfRound = 20;
constexpr std::size_t kPluginLines = 15;  // OpenVPN takes 16, and the last is ours

struct Options {
  std::string plugin;
  std::string folder;
  std::size_t files = 0;
  std::size_t seconds = 0;
  std::uint64_t seed = 1;
  std::vector<std::string> samples;
};

/// Of one kind of thing that is generated.
struct Count {
  std::map<Kind, std::size_t> of;
  std::size_t planted = 0;  ///< mistakes made on purpose
  std::size_t found = 0;    ///< of them

  void add_planted(const Verdict& verdict) {
    if (verdict.kind == Kind::kSame || verdict.kind == Kind::kDifferent) {
      ++planted;
      found += verdict.kind == Kind::kDifferent ? 1U : 0U;
    }
  }
  [[nodiscard]] std::size_t get(Kind kind) const {
    const auto entry = of.find(kind);
    return entry == of.end() ? 0 : entry->second;
  }
};

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      result += "\\n\n";
    } else if (byte < 0x20 || byte >= 0x7f || c == '\\') {
      result += formatted("\\x{:02x}", byte);
    } else {
      result += c;
    }
  }
  return result;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size() - 1) + 1;
    lines.push_back(text.substr(start, end - start));
    start = end;
  }
  return lines;
}

/// `text` without the lines that the difference does not need.
template <class Compare>
std::string shortened(std::string text, const Compare& compare) {
  constexpr std::size_t kKind = 70;  // of the message: no other difference is to take its place
  const std::string what = compare(text).what.substr(0, kKind);
  for (std::size_t i = 0; i < lines_of(text).size();) {
    std::string shorter;
    const std::vector<std::string> lines = lines_of(text);
    for (std::size_t j = 0; j < lines.size(); ++j) {
      shorter += j == i ? "" : lines[j];
    }
    if (compare(shorter).what.substr(0, kKind) == what) {
      text = shorter;
    } else {
      ++i;
    }
  }
  return text;
}

class Run {
 public:
  Run(const Options& options, const std::string& place)
      : options_(options),
        openvpn_(options.plugin, options.folder, place + "/login"),
        management_(place),
        generator_(options.seed, options.samples) {}

  /// Whether all is as it should be.
  [[nodiscard]] bool run();

 private:
  void round();
  void plant();
  void words(Splitter splitter);
  void file(const std::string& text, void (*spoil)(profile::OpenvpnConfig&) = nullptr);
  void password(Quote quote);
  void strictness();
  [[nodiscard]] bool show() const;

  const Options& options_;
  OpenvpnProgram openvpn_;
  ManagementClient management_;
  Generator generator_;
  Count files_;
  Count lines_;
  Count passwords_;
  Count taken_;  ///< of the files that OpenVPN takes
};

void report(const std::string& text, const Verdict& verdict) {
  (void)std::printf("DIFFERENCE %s\n%s\n----\n", printable(verdict.what).c_str(),
                    escaped(text).c_str());
  (void)std::fflush(stdout);
}

void Run::words(Splitter splitter) {
  const bool planted = splitter != split_text;
  std::string text = generator_.one_in(8) ? "\xEF\xBB\xBF" : "";
  text += "remote a\n";
  for (std::size_t lines = 0; lines < kPluginLines;) {
    const std::string line = generator_.line("plugin " + options_.plugin) + generator_.line_end();
    const auto split = splitter(line);
    if (!split) {
      lines_.of[Kind::kRefused] += planted ? 0 : 1;
      continue;
    }
    if (split->size() == 1 && split->front().size() >= kFewest &&
        split->front()[1] == options_.plugin) {
      text += line;
      ++lines;
    }
  }
  const auto compare = [&](const std::string& some) {
    return compare_words(openvpn_, some, splitter);
  };
  const Verdict verdict = compare(text);
  if (planted) {
    return lines_.add_planted(verdict);
  }
  lines_.of[verdict.kind] += kPluginLines;
  if (verdict.kind == Kind::kDifferent) {
    const std::string shorter = shortened(text, compare);
    report(shorter, compare(shorter));
  }
}

void Run::file(const std::string& text, void (*spoil)(profile::OpenvpnConfig&)) {
  const auto compare = [&](const std::string& some) {
    return compare_file(openvpn_, some, options_.folder, spoil);
  };
  const Verdict verdict = compare(text);
  if (spoil != nullptr) {
    return files_.add_planted(verdict);
  }
  ++files_.of[verdict.kind];
  if (verdict.kind == Kind::kDifferent) {
    const std::string shorter = shortened(text, compare);
    report(shorter, compare(shorter));
  }
}

void Run::password(Quote quote) {
  const std::string text = generator_.password();
  const Verdict verdict = compare_password(management_, text, quote);
  if (quote != service::openvpn::quote) {
    return passwords_.add_planted(verdict);
  }
  ++passwords_.of[verdict.kind];
  if (verdict.kind == Kind::kDifferent) {
    report(text, verdict);
  }
}

/// What OpenVPN takes in a client ours takes, too; and that this would be seen.
void Run::strictness() {
  for (const std::string& text : files_of_clients()) {
    file(text);
    const Verdict verdict = compare_strictness(openvpn_, text, options_.folder);
    ++taken_.of[verdict.kind];
    if (verdict.kind == Kind::kStrict) {
      report(text, {Kind::kStrict, "ours refuses what OpenVPN takes: " + verdict.what});
    } else if (verdict.kind == Kind::kBothRefuse) {
      (void)std::printf("OpenVPN does not take it: %s\n%s\n----\n", printable(verdict.what).c_str(),
                        escaped(text).c_str());
    }
  }
  for (const char* text : {"remote a\ndev tap\n", "remote a\nremote tcp://b\n"}) {
    const Verdict verdict = compare_strictness(openvpn_, text, options_.folder);
    ++taken_.planted;
    taken_.found += verdict.kind == Kind::kStrict ? 1U : 0U;
  }
}

void Run::round() {
  for (std::size_t i = 0; i < kFilesOfRound; ++i) {
    file(generator_.file());
    password(service::openvpn::quote);
  }
  words(split_text);
}

/// The same comparisons with a mistake on our side.
void Run::plant() {
  constexpr std::size_t kEnough = 10;
  const auto more_settings = [](profile::OpenvpnConfig& config) {
    config.text += "hand-window 4242\n";
  };
  const auto other_server = [](profile::OpenvpnConfig& config) { ++config.remotes.front().port; };
  for (std::size_t i = 0; i < kEnough; ++i) {
    words(split_text_wrongly);
  }
  for (std::size_t i = 0; i < 20 * kEnough && files_.planted < kEnough; ++i) {
    file(generator_.file(), more_settings);
    file(generator_.file(), other_server);
  }
  for (std::size_t i = 0; i < 20 * kEnough && passwords_.planted < kEnough; ++i) {
    password(quote_wrongly);
  }
}

bool show(const char* what, const Count& count) {
  std::size_t all = 0;
  for (const auto& [kind, number] : count.of) {
    all += number;
  }
  (void)std::printf(
      "%s: %zu generated, %zu taken by ours; %zu mean the same, %zu are refused by OpenVPN as is "
      "what is handed on, %zu have a line that is left out; %zu differ; %zu of %zu planted "
      "mistakes "
      "found\n",
      what, all, all - count.get(Kind::kRefused), count.get(Kind::kSame),
      count.get(Kind::kBothRefuse), count.get(Kind::kLenient), count.get(Kind::kDifferent),
      count.found, count.planted);
  return count.get(Kind::kSame) > 0 && count.get(Kind::kDifferent) == 0 && count.planted > 0 &&
         count.found == count.planted;
}

bool Run::show() const {
  const bool files = differential::show("files", files_);
  const bool lines = differential::show("lines", lines_);
  const bool passwords = differential::show("passwords", passwords_);
  (void)std::printf(
      "files that OpenVPN takes: %zu, %zu of them refused by ours; %zu of %zu planted "
      "mistakes found\n",
      taken_.get(Kind::kSame) + taken_.get(Kind::kStrict), taken_.get(Kind::kStrict), taken_.found,
      taken_.planted);
  (void)std::printf("OpenVPN was run %zu times\n", openvpn_.runs());
  const bool taken = taken_.get(Kind::kSame) > 0 && taken_.get(Kind::kStrict) == 0 &&
                     taken_.found == taken_.planted;
  return files && lines && passwords && taken;
}

bool Run::run() {
  for (const std::string& text : files_found_before()) {
    file(text);
  }
  strictness();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(options_.seconds);
  for (std::size_t files = 0; files < options_.files || std::chrono::steady_clock::now() < end;
       files += kFilesOfRound) {
    round();
  }
  plant();
  return show();
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const char* next = i + 1 < argc ? argv[i + 1] : "";
    if (word == "--files") {
      options.files = std::strtoul(next, nullptr, 10);
      ++i;
    } else if (word == "--seconds") {
      options.seconds = std::strtoul(next, nullptr, 10);
      ++i;
    } else if (word == "--seed") {
      options.seed = std::strtoull(next, nullptr, 10);
      ++i;
    } else if (options.plugin.empty()) {
      options.plugin = word;
    } else if (options.folder.empty()) {
      options.folder = word;
    } else {
      options.samples.push_back(read_file(word));
    }
  }
  return options;
}

/// The exit status.
int compare_all(int argc, char** argv) {
  const Options options = parse(argc, argv);
  enter_own_network();
  const TemporaryFolder place;
  write_file(place.path() + "/login", "user\npassword\n");
  (void)std::printf("seed %llu\n", static_cast<unsigned long long>(options.seed));
  return Run(options, place.path()).run() ? 0 : 1;
}

int run(int argc, char** argv) {
  try {
    return compare_all(argc, argv);
  } catch (const std::exception& error) {
    (void)std::fprintf(stderr, "openvpn_differential: %s\n", error.what());
    return 1;
  }
}

}  // namespace
}  // namespace vpnrun::differential

int main(int argc, char** argv) {
  return vpnrun::differential::run(argc, argv);
}
