// SPDX-License-Identifier: GPL-2.0-or-later
//
// {fmt} for static linking. The distribution ships it as a shared library or as headers only: the
// former costs a launch the mapping of a library, the latter costs every source file seconds of
// compile time. So its inline part is compiled here, once, with the two templates that its header
// declares to be found elsewhere.
#include <fmt/format-inl.h>

FMT_BEGIN_NAMESPACE
namespace detail {
template FMT_API auto thousands_sep_impl<char>(locale_ref) -> thousands_sep_result<char>;
template FMT_API auto decimal_point_impl(locale_ref) -> char;
}  // namespace detail
FMT_END_NAMESPACE
