// SPDX-License-Identifier: GPL-2.0-or-later
#include "launcher/ctl/lockout.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace vpnrun {
namespace {

struct Kind {
  std::string_view name;  ///< of a unit without instance and type, or of a program
  std::string_view what;
};

constexpr std::string_view kRemote = "logins from other machines";
constexpr std::string_view kLocal = "logins at this machine";
constexpr std::string_view kNetwork = "the machine's own network";
constexpr std::string_view kPeople = "the names of people and groups";

// Units and programs have the same names, as a rule.
constexpr std::array kKinds = {
    Kind{"ssh", kRemote},
    Kind{"sshd", kRemote},
    Kind{"sshd-keygen", kRemote},
    Kind{"sshd-unix-local", kRemote},
    Kind{"sshd-vsock", kRemote},
    Kind{"dropbear", kRemote},
    Kind{"tinysshd", kRemote},
    Kind{"telnet", kRemote},
    Kind{"telnetd", kRemote},
    Kind{"in.telnetd", kRemote},
    Kind{"inetd", kRemote},
    Kind{"inetutils-inetd", kRemote},
    Kind{"openbsd-inetd", kRemote},
    Kind{"xinetd", kRemote},
    Kind{"rlogin", kRemote},
    Kind{"rsh", kRemote},
    Kind{"mosh-server", kRemote},
    Kind{"etserver", kRemote},
    Kind{"et", kRemote},
    Kind{"xrdp", kRemote},
    Kind{"xrdp-sesman", kRemote},
    Kind{"gnome-remote-desktop", kRemote},
    Kind{"krdpserver", kRemote},
    Kind{"x11vnc", kRemote},
    Kind{"vncserver", kRemote},
    Kind{"vncserver-x11-serviced", kRemote},
    Kind{"tigervncserver", kRemote},
    Kind{"x0tigervncserver", kRemote},
    Kind{"Xvnc", kRemote},
    Kind{"wayvnc", kRemote},
    Kind{"nxserver", kRemote},
    Kind{"x2goserver", kRemote},
    Kind{"xpra", kRemote},
    Kind{"teamviewerd", kRemote},
    Kind{"anydesk", kRemote},
    Kind{"rustdesk", kRemote},
    Kind{"cockpit", kRemote},
    Kind{"cockpit-ws", kRemote},
    Kind{"cockpit-tls", kRemote},
    Kind{"webmin", kRemote},
    Kind{"shellinabox", kRemote},
    Kind{"shellinaboxd", kRemote},
    Kind{"ttyd", kRemote},
    Kind{"salt-minion", kRemote},
    Kind{"puppet", kRemote},
    Kind{"qemu-guest-agent", kRemote},
    Kind{"qemu-ga", kRemote},
    Kind{"waagent", kRemote},
    Kind{"walinuxagent", kRemote},
    Kind{"amazon-ssm-agent", kRemote},
    Kind{"google-guest-agent", kRemote},
    Kind{"cloud-init", kRemote},

    Kind{"getty", kLocal},
    Kind{"agetty", kLocal},
    Kind{"mingetty", kLocal},
    Kind{"serial-getty", kLocal},
    Kind{"console-getty", kLocal},
    Kind{"container-getty", kLocal},
    Kind{"autovt", kLocal},
    Kind{"kmsconvt", kLocal},
    Kind{"kmscon", kLocal},
    Kind{"debug-shell", kLocal},
    Kind{"rescue", kLocal},
    Kind{"emergency", kLocal},
    Kind{"sulogin", kLocal},
    Kind{"display-manager", kLocal},
    Kind{"gdm", kLocal},
    Kind{"gdm3", kLocal},
    Kind{"sddm", kLocal},
    Kind{"plasmalogin", kLocal},
    Kind{"lightdm", kLocal},
    Kind{"lxdm", kLocal},
    Kind{"xdm", kLocal},
    Kind{"wdm", kLocal},
    Kind{"slim", kLocal},
    Kind{"nodm", kLocal},
    Kind{"greetd", kLocal},
    Kind{"ly", kLocal},
    Kind{"lemurs", kLocal},
    Kind{"emptty", kLocal},
    Kind{"accounts-daemon", kLocal},
    Kind{"elogind", kLocal},

    Kind{"NetworkManager", kNetwork},
    Kind{"NetworkManager-dispatcher", kNetwork},
    Kind{"NetworkManager-wait-online", kNetwork},
    Kind{"nm-priv-helper", kNetwork},
    Kind{"ModemManager", kNetwork},
    Kind{"wpa_supplicant", kNetwork},
    Kind{"iwd", kNetwork},
    Kind{"connman", kNetwork},
    Kind{"connmand", kNetwork},
    Kind{"wicd", kNetwork},
    Kind{"dhcpcd", kNetwork},
    Kind{"dhclient", kNetwork},
    Kind{"networking", kNetwork},
    Kind{"ifup", kNetwork},
    Kind{"ifupdown2", kNetwork},
    Kind{"netplan", kNetwork},
    Kind{"wickedd", kNetwork},
    Kind{"hostapd", kNetwork},
    Kind{"pppd", kNetwork},
    Kind{"pppd-dns", kNetwork},
    Kind{"firewalld", kNetwork},
    Kind{"ufw", kNetwork},
    Kind{"nftables", kNetwork},
    Kind{"iptables", kNetwork},
    Kind{"ip6tables", kNetwork},
    Kind{"netfilter-persistent", kNetwork},
    Kind{"fail2ban", kNetwork},
    Kind{"resolvconf", kNetwork},
    Kind{"bluetooth", kNetwork},

    Kind{"sssd", kPeople},
    Kind{"nscd", kPeople},
    Kind{"unscd", kPeople},
    Kind{"nslcd", kPeople},
    Kind{"winbind", kPeople},
    Kind{"winbindd", kPeople},
    Kind{"oddjobd", kPeople},
    Kind{"himmelblaud", kPeople},
};

std::string kind_of(std::string_view name) {
  const auto* const kind = std::find_if(kKinds.begin(), kKinds.end(),
                                        [name](const Kind& one) { return one.name == name; });
  return kind == kKinds.end() ? std::string() : std::string(kind->what);
}

/// "ssh@1-a.service" is "ssh".
std::string_view stem_of(std::string_view unit) {
  return unit.substr(0, std::min(unit.find('@'), unit.rfind('.')));
}

}  // namespace

std::string lockout_of(const Unit& unit) {
  std::vector<std::string> names = words_of({property(unit.properties, "Names")});
  names.push_back(unit.id);
  for (const std::string& name : names) {
    if (std::string what = kind_of(stem_of(name)); !what.empty()) {
      return what;
    }
  }
  for (const std::string& value : service_values(unit.settings, "ExecStart")) {
    for (const UnitCommand& command : split_commands(value)) {
      const std::vector<std::string> words = words_of({command.line});
      const std::string program = words.empty() ? std::string() : words.front();
      if (std::string what = kind_of(program.substr(program.rfind('/') + 1)); !what.empty()) {
        return what;
      }
    }
  }
  return {};
}

std::vector<ListenAddress> listen_addresses(const std::string& listen) {
  std::vector<ListenAddress> addresses;
  const std::vector<std::string> words = words_of({listen});
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& type = words[i + 1];
    if (type.size() > 2 && type.front() == '(' && type.back() == ')') {
      addresses.push_back({words[i], type.substr(1, type.size() - 2)});
    }
  }
  return addresses;
}

bool is_internet(const ListenAddress& address) {
  const std::string& where = address.address;
  return (address.type == "Stream" || address.type == "Datagram" ||
          address.type == "SequentialPacket") &&
         !where.starts_with('/') && !where.starts_with('@') && !where.starts_with("vsock") &&
         where.find(':') != std::string::npos;
}

}  // namespace vpnrun
