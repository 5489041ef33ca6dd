// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/command_line.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "profiles/base/error.h"
#include "profiles/nearest.h"
#include "profiles/option_text.h"

namespace vpnrun {
namespace {

/// "-p, --profile NAME".
std::string names_of(const CLI::Option& option) {
  std::string result;
  for (const std::string& name : option.get_snames()) {
    result += (result.empty() ? "-" : ", -") + name;
  }
  for (const std::string& name : option.get_lnames()) {
    result += (result.empty() ? "--" : ", --") + name;
  }
  const bool takes_value = option.get_items_expected_max() > 0;
  return takes_value ? result + " " + option.get_type_name() : result;
}

std::vector<const CLI::Option*> positionals_of(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return option->get_positional(); });
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* command) { return !command->get_group().empty(); });
}

/// The command that was given, `app` itself if none was.
const CLI::App& given(const CLI::App& app) {
  const std::vector<CLI::App*> commands = app.get_subcommands();
  return commands.empty() ? app : *commands.front();
}

std::string usage(const CLI::App& app) {
  std::string name;
  for (const CLI::App* part = &app; part != nullptr; part = part->get_parent()) {
    name.insert(0, part->get_name() + (name.empty() ? "" : " "));
  }
  std::string result = "Usage: " + name + " [OPTION…]";
  for (const CLI::Option* option : positionals_of(app)) {
    const std::string word = option->get_name(true);
    result += option->get_required() ? " " + word : " [" + word + "]";
  }
  return result + (commands_of(app).empty() ? "\n" : " COMMAND\n");
}

std::string commands_text(const CLI::App& app) {
  std::string result;
  for (const CLI::App* command : commands_of(app)) {
    result += option_row(command->get_name(), command->get_description());
  }
  return result.empty() ? result : "\nCommands:\n" + result;
}

std::string quoted(const std::vector<std::string>& words) {
  std::string result;
  for (const std::string& word : words) {
    result += (result.empty() ? "'" : ", '") + printable(word) + "'";
  }
  return result;
}

std::string suggest_command(const CLI::App& app, std::string_view word, OtherNames other_names) {
  const auto* const other =
      std::find_if(other_names.data(), other_names.data() + other_names.size(),
                   [word](const auto& each) { return each.first == word; });
  if (other != other_names.data() + other_names.size()) {
    return did_you_mean(other->second);
  }
  std::vector<std::string> names;
  for (const CLI::App* command : commands_of(app)) {
    names.push_back(command->get_name());
  }
  return did_you_mean(
      nearest_name(word, std::vector<std::string_view>(names.begin(), names.end())));
}

std::string missing(const CLI::App& app, OtherNames other_names) {
  const CLI::App& command = given(app);
  if (&command == &app && !commands_of(app).empty()) {
    const std::vector<std::string> words = app.remaining(true);
    return words.empty() ? "no command is given"
                         : "there is no command " + quoted({words.front()}) +
                               suggest_command(app, words.front(), other_names);
  }
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_required() && option->count() == 0) {
      return command.get_name() + ": " + option->get_name(true) + " is missing";
    }
  }
  return "something is missing";
}

std::string nearest_option(const CLI::App& app, std::string_view word) {
  std::vector<std::string> names;
  for (const CLI::App* part : {&app, &given(app)}) {
    for (const CLI::Option* option : part->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        names.push_back("--" + name);
      }
    }
  }
  return suggest_option(word, std::vector<std::string_view>(names.begin(), names.end()));
}

}  // namespace

std::string options_text(const CLI::App& app) {
  std::string result = "Options:\n";
  for (const CLI::Option* option :
       app.get_options([](const CLI::Option* each) { return each->nonpositional(); })) {
    result += option_row(names_of(*option), option->get_description());
  }
  return result;
}

std::string help_text(const CLI::App& app) {
  const CLI::App& command = given(app);
  return command.get_description() + "\n" + usage(command) + "\n" + options_text(command) +
         commands_text(command);
}

void add_usual_flags(CLI::App& app, const std::string& version) {
  app.set_help_flag("-h,--help", "print this text and exit");
  app.set_version_flag("--version", version, "print the version and exit");
}

std::string reason(const CLI::App& app, const CLI::ParseError& error, OtherNames other_names) {
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    const std::vector<std::string> words = app.remaining(true);
    return words.size() == 1
               ? quoted(words) + " is not expected" + nearest_option(app, words.front())
               : quoted(words) + " are not expected";
  }
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    return missing(app, other_names);
  }
  return printable(error.what());
}

}  // namespace vpnrun
