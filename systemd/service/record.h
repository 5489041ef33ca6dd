// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "helper/base/runtime_layout.h"
#include "profiles/profile.h"

// The record `origin` (helper/base/runtime_layout.h), as those know it who write it.
namespace vpnrun::service {

/// Reads the record below `directory` as read_origin() does, and that of vpnrun 0.1.0 as well: what
/// such a one does not say is zero, which is equal to no namespace. The helper takes no old record;
/// write_record() makes a new one of it. False with errno otherwise.
[[nodiscard]] bool read_record(int directory, Origin& out);

/// Whether `origin` says what `profile` has for the helper.
[[nodiscard]] bool says_the_same(const Origin& origin, const profile::Profile& profile);

/// Writes the record below `directory` anew: `origin`, with what `profile` has for the helper.
/// Throws Error.
void write_record(int directory, Origin origin, const profile::Profile& profile);

/// Makes a new record of an old one, for a companion whose profile another version has prepared:
/// the view, the namespaces and what runs in them stay. The network that the profile is kept from
/// is the calling process'. Nothing if the record is up to date or there is none. Throws Error.
void take_over_record(const profile::Profile& profile);

}  // namespace vpnrun::service
