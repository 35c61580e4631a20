/* SPDX-License-Identifier: MIT */
/* Arguments in utf-8, and what the terminal can show. terminal_posix.c or terminal_win32.c, chosen
 * by the build. */
#ifndef TUTTI_CONSOLE_TERMINAL_H
#define TUTTI_CONSOLE_TERMINAL_H

#include "console/style.h"

/** Replaces main()'s arguments by utf-8 ones where they are not, and makes the terminals ready for
 * utf-8 and colour. Call first. The arguments live as long as the process. False: no memory. */
bool terminal_begin(int *argc, char ***argv);
/** Puts the terminals back. */
void terminal_end(void);

/** What the standard output (error) can show. NO_COLOR and TERM=dumb are obeyed. */
void terminal_style(bool error, struct style *style);
/** Columns of the terminal on the standard output (error) as it is now; 0 when it is none. */
unsigned terminal_columns(bool error);
/** Lines of the terminal on the standard output; 0 when it is none. */
unsigned terminal_lines(void);

#endif
