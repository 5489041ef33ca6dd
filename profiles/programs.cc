// SPDX-License-Identifier: GPL-2.0-or-later
#include "profiles/programs.h"

namespace vpnrun {

const char* const kOpenvpnPrograms = VPNRUN_OPENVPN;
const char* const kSystemctl = VPNRUN_SYSTEMCTL;
const char* const kJournalctl = VPNRUN_JOURNALCTL;
const char* const kSystemdAskPassword = VPNRUN_SYSTEMD_ASK_PASSWORD;
const char* const kGetent = VPNRUN_GETENT;
const char* const kNologin = VPNRUN_NOLOGIN;
const char* const kChildPath = "PATH=" VPNRUN_PATH;

}  // namespace vpnrun
