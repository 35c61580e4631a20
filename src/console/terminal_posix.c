/* SPDX-License-Identifier: MIT */
#include "console/terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool utf8_locale;

bool
terminal_begin(int *argc, char ***argv)
{
    /* Only the characters' encoding: numbers keep their dots, JSON needs them. */
    setlocale(LC_CTYPE, "");
    utf8_locale = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    return true;
}

void
terminal_end(void)
{
}

void
terminal_style(bool error, struct style *style)
{
    const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    bool dumb = !term || strcmp(term, "dumb") == 0;

    style->terminal = isatty(error ? STDERR_FILENO : STDOUT_FILENO) == 1;
    style->cursor = style->terminal && !dumb;
    style->colour = style->cursor && !(no_colour && no_colour[0]);
    style->unicode = utf8_locale;
    style->columns = terminal_columns(error);
}

unsigned
terminal_columns(bool error)
{
    struct winsize size;

    return ioctl(error ? STDERR_FILENO : STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

unsigned
terminal_lines(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_row : 0;
}
