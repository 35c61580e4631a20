/* SPDX-License-Identifier: MIT */
/*
 * The documents say what the tables say: every key of CONFIG_TABLE stands in docs/configuration.md
 * with its default, range and meaning, every subcommand and option in docs/man/tutti.1, every row
 * of proto/fields.h in docs/protocol.md. Arguments: the three files. With `--print` first it writes
 * the tables of the configuration and of the protocol as the documents must hold them.
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
#include "proto/message.h"

static char *configuration, *manual, *protocol;

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

/* ---- what the engine reports ---- */

static const char *
field_type(char type[16], const char *name, int count)
{
    snprintf(type, 16, count ? "%s[%d]" : "%s", name, count);
    return type;
}
#define TYPE_TEXT(bytes) field_type(type, "text", bytes)
#define TYPE_STATE(count) "u32"
#define TYPE_U32(largest) "u32"
#define TYPE_U64(largest) "u64"
#define TYPE_RATE(none) "f64"
#define TYPE_RATES(count) field_type(type, "f64", count)
#define TYPE_PEAKS(channels) field_type(type, "f32", PROTO_STATUS_METERS)

/* Of a struct's fields, at their offsets in it. */
static void
make_field_tables(struct text *text)
{
    static const char head[] =
        "| At | Field | Type | JSON | Unit | Meaning |\n|---|---|---|---|---|---|\n";
    char type[16];

#define FIELD_ROW(at, kind, name, limit, key, unit, meaning)                                       \
    text_addf(text, "| %d | %s | %s | %s | %s | %s |\n", (int)(at), #name, TYPE_##kind(limit),     \
              #key, unit, meaning);
#define ROW_DEVICE(kind, name, limit, key, unit, meaning, ...)                                     \
    FIELD_ROW(offsetof(struct proto_device, name), kind, name, limit, key, unit, meaning)
#define ROW_CLIENT(kind, name, limit, key, unit, meaning, ...)                                     \
    FIELD_ROW(offsetof(struct proto_program_status, name), kind, name, limit, key, unit, meaning)
#define ROW_LATER(kind, name, limit, key, unit, meaning, ...)                                      \
    FIELD_ROW(offsetof(struct proto_status_reply, name), kind, name, limit, key, unit, meaning)
    text_addf(text, "### device, %d bytes\n\n%s", (int)sizeof(struct proto_device), head);
    DEVICE_FIELDS(ROW_DEVICE)
    text_addf(text, "\n### program, %d bytes\n\n%s", (int)sizeof(struct proto_program_status),
              head);
    CLIENT_STATUS_FIELDS(ROW_CLIENT)
    text_addf(text, "\n### program, later fields: arrays of %d in STATUS_REPLY\n\n%s",
              PROTO_STATUS_PROGRAMS, head);
    CLIENT_STATUS_LATER_FIELDS(ROW_LATER)
}

/* ---- tests ---- */

static void
the_protocol_document_holds_the_fields_of_devices_and_programs(void **state)
{
    struct text text;

    text_init(&text);
    make_field_tables(&text);
    assert_false(text.failed);
    if (!strstr(protocol, text_get(&text))) {
        fail_msg("docs/protocol.md must hold, as one piece:\n%s", text_get(&text));
    }
    text_fini(&text);
}

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
#define COMMAND_ROW(name, system) &command_##name,
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
        cmocka_unit_test(the_protocol_document_holds_the_fields_of_devices_and_programs),
        cmocka_unit_test(the_manual_describes_exactly_the_options_there_are),
    };

    if (argc == 2 && strcmp(argv[1], "--print") == 0) {
        struct text text;
        text_init(&text);
        make_tables(&text);
        text_add(&text, "\n");
        make_field_tables(&text);
        fputs(text_get(&text), stdout);
        text_fini(&text);
        return 0;
    }
    if (argc != 4) {
        fprintf(stderr, "usage: test_documents --print | configuration.md tutti.1 protocol.md\n");
        return 2;
    }
    configuration = read_file(argv[1]);
    manual = read_file(argv[2]);
    protocol = read_file(argv[3]);
    bool read = configuration && manual && protocol;
    int failed = read ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    free(protocol);
    free(manual);
    free(configuration);
    return failed;
}
