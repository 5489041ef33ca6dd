// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "helper/base/runtime_layout.h"
#include "profiles/profile.h"

// The record `origin` (helper/base/runtime_layout.h): the side that writes it.
namespace vpnrun::service {

/// Reads the record below `directory` as read_origin() does, and also a record of vpnrun 0.1.0:
/// what that lacks is set to zero, which is equal to no namespace. The helper does not accept an
/// old record; write_record() turns it into a new one. Returns false, with errno set, if there is
/// neither.
[[nodiscard]] bool read_record(int directory, Origin& out);

/// Whether `origin` says the same as `profile` about what the helper needs.
[[nodiscard]] bool says_the_same(const Origin& origin, const profile::Profile& profile);

/// Writes a new record below `directory`: `origin`, with the settings of `profile` that the helper
/// needs. Throws Error.
void write_record(int directory, Origin origin, const profile::Profile& profile);

/// Makes a record that is up to date say what `profile` does; nothing else in it changes. Throws
/// Error.
void tell_helper(int directory, const profile::Profile& profile);

/// Replaces an old record by a new one, for a companion whose profile another version prepared: the
/// view, the namespaces and what runs in them stay. The host's network namespace is recorded as
/// that of the calling process. Does nothing if the record is up to date or there is none. Throws
/// Error.
void take_over_record(const profile::Profile& profile);

}  // namespace vpnrun::service
