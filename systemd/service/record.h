// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "helper/base/runtime_layout.h"
#include "profiles/profile.h"

// The record `origin` (helper/base/runtime_layout.h), for those who write it.
namespace vpnrun::service {

/// Reads the record below `directory` as read_origin() does, and also a record of vpnrun 0.1.0:
/// what that does not say is zero, which no namespace is equal to. The helper accepts no old
/// record; write_record() makes a new one of it. False, with errno set, otherwise.
[[nodiscard]] bool read_record(int directory, Origin& out);

/// Whether `origin` says the same as `profile` about what the helper needs.
[[nodiscard]] bool says_the_same(const Origin& origin, const profile::Profile& profile);

/// Writes a new record below `directory`: `origin`, with what `profile` tells the helper. Throws
/// Error.
void write_record(int directory, Origin origin, const profile::Profile& profile);

/// Makes a new record of an old one, for a companion whose profile another version prepared: the
/// view, the namespaces and what runs in them stay. The network that the profile is kept from is
/// that of the calling process. Does nothing if the record is up to date or there is none. Throws
/// Error.
void take_over_record(const profile::Profile& profile);

}  // namespace vpnrun::service
