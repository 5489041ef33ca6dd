// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

// What the programs say about their command lines, the same with every version of CLI11: its own
// words and layout change.
namespace vpnrun {

/// The help of `app` or of its command that was given: usage, options, commands; no line ends in a
/// blank. An option that is wider than the column has its help on the same line, after a blank.
[[nodiscard]] std::string help_text(const CLI::App& app);

/// The lines "Options:" and below.
[[nodiscard]] std::string options_text(const CLI::App& app);

/// Names the flags -h, --help and --version of `app` and of the commands that are added later; they
/// throw CLI::CallForHelp and CLI::CallForVersion. `version` is printed for the latter.
void add_usual_flags(CLI::App& app, const std::string& version);

/// Words that people type for a command that has another name, and its name.
using OtherNames = std::span<const std::pair<std::string_view, std::string_view>>;

/// What is wrong, as the rest of a sentence, fit for a terminal. `app` is the one that threw
/// `error`; what it was given can be quoted. Of a command or an option that is not known it ends
/// with the one that was probably meant.
[[nodiscard]] std::string reason(const CLI::App& app, const CLI::ParseError& error,
                                 OtherNames other_names = {});

}  // namespace vpnrun
