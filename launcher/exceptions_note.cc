// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/exceptions_note.h"

#include "profiles/base/error.h"
#include "profiles/base/format.h"

namespace vpnrun {

std::string exceptions_note(const Status& status) {
  std::string opened;
  const auto add = [&opened](std::string_view opens, std::string_view key) {
    opened += formatted("{}{} ({})", opened.empty() ? "" : "; ", opens, key);
  };
  for (const PromiseException& exception : status.exceptions) {
    if (exception.key != "application.i386") {
      add(printable(exception.opens), printable(exception.key));
    }
  }
  std::string ports;
  for (const std::string& port : status.inbound) {
    ports += (ports.empty() ? "" : ", ") + printable(port);
  }
  if (!ports.empty()) {
    add("be reached through the tunnel at " + ports, "ports.inbound");
  }
  return opened.empty() ? std::string()
                        : formatted("exceptions of profile '{}': its programs can {}",
                                    printable(status.profile), opened);
}

}  // namespace vpnrun
