# SPDX-License-Identifier: GPL-2.0-or-later
# cmake -DSCDOC=… -DSOURCE=… -DPAGE=… -P: makes a man page. Its first line says that there are tables: man(1) and
# Debian's checker ask tbl(1) for these only then, and scdoc leaves the line out.
execute_process(COMMAND ${SCDOC} INPUT_FILE ${SOURCE} OUTPUT_VARIABLE text RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "scdoc cannot make ${PAGE}")
endif()
file(WRITE ${PAGE} "'\\\" t\n${text}")
