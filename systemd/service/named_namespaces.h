// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

// Names of network namespaces in /run/netns, as ip-netns(8) makes them: for `ip netns list` and
// `ip netns exec`, and for NetworkNamespacePath= of units. The folder is a mount with shared
// propagation, so that names appear in every mount namespace, existing ones included; the calling
// process must not be in a private one.
namespace vpnrun::service {

/// Gives the namespace `netns` (a descriptor) this name, which it may have already. Takes the
/// HostLock. Throws Error with a hint if another namespace has it.
void name_namespace(const std::string& name, int netns);

/// Removes the name if it refers to `netns`. Throws Error.
void unname_namespace(const std::string& name, int netns);

/// Gives the network namespace of the calling process, which is the host's, the name that the
/// profile wants for it ([namespace] name_host; empty: none), and removes the name that the profile
/// wanted before, unless another profile still wants it. What the profile wants is recorded in
/// `directory`, its runtime directory. A name that somebody else gave stays. Takes the HostLock.
/// Throws Error as name_namespace() does.
void set_host_name(const std::string& profile_name, int directory, const std::string& name);

/// Removes the folder if it is empty and was made here. Takes the HostLock.
void remove_named_folder();

}  // namespace vpnrun::service
