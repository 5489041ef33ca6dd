# SPDX-License-Identifier: GPL-2.0-or-later
# Read by cpack itself: every date in the package is that of the sources.
set(ENV{SOURCE_DATE_EPOCH} ${CPACK_VPNRUN_DATE})
