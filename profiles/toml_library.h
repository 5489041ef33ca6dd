// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

// The TOML library, the same code wherever it is compiled in. Without writers, and not shared: a
// shared library would cost every launch its relocations. Text goes into it by parse_toml
// (toml_text.h) only: some texts make its behaviour undefined.
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0

// Some of its assertions do not hold ("[!]"): they would end the program, or be promises to the
// compiler with NDEBUG. Without them the same text is an error with its place.
#undef NDEBUG
#define TOML_ASSERT(condition) static_assert(true)

#include <toml++/toml.h>
