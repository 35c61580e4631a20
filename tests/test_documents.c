/* SPDX-License-Identifier: MIT */
/*
 * The documents say what the tables say: every key of CONFIG_TABLE stands in docs/configuration.md
 * with its default, range and meaning, every subcommand and option in docs/man/tutti.1. Arguments:
 * the two files. With `--print` first it writes the tables of the configuration as the document
 * must hold them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "cli/commands.h"

static char *configuration, *manual;

/* ---- what the document must hold ---- */

static void
add_row(struct text *text, const char **section, const char *this_section, const char *key,
        const char *def, const char *range, const char *what)
{
    if (!*section || strcmp(*section, this_section) != 0) {
        text_addf(text, "%s### [%s]\n\n| Key | Default | Values | Meaning |\n|---|---|---|---|\n",
                  *section ? "\n" : "", this_section);
        *section = this_section;
    }
    text_addf(text, "| `%s` | %s | %s | %s |\n", key, def, range, what);
}

static void
make_tables(struct text *text)
{
    const char *section = NULL;
    char values[64];

#define ROW_S(section_, key, def, what)                                                            \
    add_row(text, &section, #section_, #key, (def)[0] ? "`" def "`" : "empty", "text", what);
#define ROW_I(section_, key, def, min, max, what)                                                  \
    snprintf(values, sizeof(values), "%d to %d", min, max);                                        \
    add_row(text, &section, #section_, #key, "`" #def "`", values, what);
#define ROW_B(section_, key, def, what)                                                            \
    add_row(text, &section, #section_, #key, (def) ? "`yes`" : "`no`", "yes, no", what);
#define ROW_D(section_, key, def, min, max, what)                                                  \
    add_row(text, &section, #section_, #key, "`" #def "`", #min " to " #max ", fractions", what);
    CONFIG_TABLE(ROW_S, ROW_I, ROW_B, ROW_D)
#undef ROW_S
#undef ROW_I
#undef ROW_B
#undef ROW_D
}

/* ---- tests ---- */

static void
the_configuration_document_holds_the_tables_and_no_other_rows(void **state)
{
    struct text text;

    text_init(&text);
    make_tables(&text);
    assert_false(text.failed);
    const char *found = strstr(configuration, text_get(&text));
    if (!found) {
        fail_msg("docs/configuration.md must hold, as one piece:\n%s", text_get(&text));
    }
    /* a key that is gone would be a row of five bars before or after the piece */
    for (const char *row = strstr(configuration, "\n| `"); row; row = strstr(row + 1, "\n| `")) {
        assert_true(row >= found - 1);
        assert_true(row < found + text.length);
    }
    text_fini(&text);
}

/* The manual's part on one subcommand: from its subsection to the next one or section. */
static const char *
manual_part(const char *name, size_t *bytes)
{
    char head[64];

    snprintf(head, sizeof(head), "\n.Ss tutti %s", name);
    const char *part = strstr(manual, head);
    if (!part) {
        fail_msg("tutti.1 has no '%s'", head + 1);
    }
    const char *next = strstr(part + 1, "\n.S");
    *bytes = next ? (size_t)(next - part) : strlen(part);
    return part;
}

static void
the_manual_describes_exactly_the_options_there_are(void **state)
{
    static const struct args_command *const commands[] = {
#define COMMAND_ROW(name) &command_##name,
        COMMAND_TABLE(COMMAND_ROW)
#undef COMMAND_ROW
    };

    for (unsigned i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        size_t bytes = 0;
        unsigned options = 0, items = 0;
        const char *part = manual_part(commands[i]->name, &bytes);
        for (; options < ARGS_MAX_OPTIONS && commands[i]->options[options].name; options++) {
            char item[64];
            const struct args_option *option = &commands[i]->options[options];
            snprintf(item, sizeof(item), "\n.It Fl -%s%s%s\n", option->name,
                     option->value ? " Ar " : "", option->value ? option->value : "");
            const char *found = strstr(part, item);
            if (!found || found >= part + bytes) {
                fail_msg("tutti.1 lacks '%s' under %s", item + 1, commands[i]->name);
            }
        }
        for (const char *at = strstr(part, "\n.It Fl"); at && at < part + bytes;
             at = strstr(at + 1, "\n.It Fl")) {
            items++;
        }
        assert_int_equal(items, options);
    }
}

static char *
read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *bytes = NULL;

    if (file && fseek(file, 0, SEEK_END) == 0) {
        long size = ftell(file);
        rewind(file);
        bytes = size > 0 ? calloc(1, (size_t)size + 1) : NULL;
        if (bytes && fread(bytes, 1, (size_t)size, file) != (size_t)size) {
            free(bytes);
            bytes = NULL;
        }
    }
    if (file) {
        fclose(file);
    }
    if (!bytes) {
        fprintf(stderr, "cannot read %s\n", path);
    }
    return bytes;
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_configuration_document_holds_the_tables_and_no_other_rows),
        cmocka_unit_test(the_manual_describes_exactly_the_options_there_are),
    };

    if (argc == 2 && strcmp(argv[1], "--print") == 0) {
        struct text text;
        text_init(&text);
        make_tables(&text);
        fputs(text_get(&text), stdout);
        text_fini(&text);
        return 0;
    }
    if (argc != 3) {
        fprintf(stderr, "usage: test_documents --print | configuration.md tutti.1\n");
        return 2;
    }
    configuration = read_file(argv[1]);
    manual = read_file(argv[2]);
    int failed = configuration && manual ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    free(manual);
    free(configuration);
    return failed;
}
