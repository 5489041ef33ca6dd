// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace vpnrun {

// The programs of others that vpnrun calls, as it was built (-DVPNRUN_OPENVPN=… and so on;
// systemd/cmake/programs.cmake admits absolute paths only). No program is ever looked for in
// somebody's PATH: most callers are root. vpnrun-helper calls none; what runs a line of a
// profile's, or a file without a format, is /bin/sh everywhere (POSIX).

/// One or several, with ':' between: the first that is there is taken.
extern const char* const kOpenvpnPrograms;

extern const char* const kSystemctl;
extern const char* const kJournalctl;
extern const char* const kSystemdAskPassword;
extern const char* const kGetent;

/// The shell of accounts that nobody logs in to.
extern const char* const kNologin;

/// An environment's entry: where hooks, and what the programs above start in turn, find programs.
extern const char* const kChildPath;

}  // namespace vpnrun
