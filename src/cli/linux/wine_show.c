/* SPDX-License-Identifier: MIT */
/* What is known of a prefix, for people and for machines. See wine.h. */
#include "cli/linux/wine.h"

#include <stdio.h>
#include <string.h>

enum { LABEL_COLUMNS = 10 };

/* ValveSoftware/steam-runtime, pressure-vessel: the container has a /run/user of its own. */
static const char steam_advice[] =
    "Steam's container hides the engine, and its programs start one of their own. To play with the "
    "programs outside, set the game's launch options to";
static const char steam_option[] =
    "PRESSURE_VESSEL_FILESYSTEMS_RW=$XDG_RUNTIME_DIR/tutti %command%";

static const char *const half_names[WINE_HALVES] = {"64-bit", "32-bit"};

static void
add_label(struct text *out, const char *label)
{
    text_add(out, "  ");
    text_add_column(out, label, LABEL_COLUMNS, "");
}

/* Names with commas between, as a sentence has them. */
static void
add_names(struct text *out, const struct style *style, const char *names)
{
    struct text line;

    text_init(&line);
    for (; *names; names++) {
        text_add_bytes(&line, names, 1);
        if (*names == ',') {
            text_add(&line, " ");
        }
    }
    style_add_wrapped(out, style, STYLE_PLAIN, text_get(&line), LABEL_COLUMNS + 2,
                      STYLE_WHOLE_WORDS);
    text_fini(&line);
}

static void
show_half(struct text *out, const struct style *style, const struct wine_driver *driver,
          const char *name)
{
    add_label(out, name);
    if (!driver->windows_path[0]) {
        style_add(out, style, STYLE_FAINT, "not registered", 0);
        text_add(out, "\n");
        return;
    }
    style_add(out, style, driver->same && driver->engine ? STYLE_GOOD : STYLE_WARN, "registered",
              0);
    if (!driver->version[0]) {
        text_add(out, ", its file is gone");
    } else {
        text_addf(out, ", version %s%s", driver->version,
                  driver->same ? ", the same as this" : ", another build than this");
    }
    text_addf(out, "\n");
    add_label(out, "");
    text_addf(out, "%s\n", driver->windows_path);
    if (driver->version[0]) {
        add_label(out, "engine");
        bool native = !driver->native[0];
        struct text line;
        text_init(&line);
        text_addf(&line, "%s%s", native ? "native, by " : "Wine's own: ",
                  native ? driver->bridge : driver->native);
        style_add_wrapped(out, style, native ? STYLE_PLAIN : STYLE_WARN, text_get(&line),
                          LABEL_COLUMNS + 2, STYLE_WHOLE_WORDS);
        text_fini(&line);
    }
    if (driver->entries[0]) {
        add_label(out, "profiles");
        add_names(out, style, driver->entries);
    }
}

void
wine_show(struct text *out, const struct style *style, const struct wine_prefix *prefix,
          const struct wine_state *state)
{
    style_add(out, style, STYLE_STRONG, prefix->path, 0);
    text_add(out, "\n");
    add_label(out, "found by");
    text_addf(out, "%s%s%s%s\n", wine_layout_name(prefix->layout), prefix->name[0] ? " " : "",
              prefix->name, prefix->sandboxed ? " (Flatpak)" : "");
    add_label(out, "Wine");
    text_addf(out, "%s%s%s%s", state->version[0] ? state->version : "unknown",
              prefix->runner[0] ? " (" : "", prefix->runner, prefix->runner[0] ? ")" : "");
    if (state->bits) {
        text_addf(out, ", %s prefix",
                  state->both         ? "64- and 32-bit"
                  : state->bits == 64 ? "64-bit"
                                      : "32-bit");
    }
    text_addf(out, "%s\n", state->in_use ? ", in use now" : "");
    if (state->bits == 64) {
        show_half(out, style, &state->driver[WINE_64], half_names[WINE_64]);
    }
    if (state->bits == 32 || state->both) {
        show_half(out, style, &state->driver[WINE_32], half_names[WINE_32]);
    }
    if (prefix->layout == WINE_PROTON && !prefix->sandboxed) {
        add_label(out, "sharing");
        style_add_wrapped(out, style, STYLE_PLAIN, steam_advice, LABEL_COLUMNS + 2,
                          STYLE_WHOLE_WORDS);
        add_label(out, "");
        text_addf(out, "%s\n", steam_option);
    }
    if (state->fault[0]) {
        add_label(out, "problem");
        style_add_wrapped(out, style, STYLE_PLAIN, state->fault, LABEL_COLUMNS + 2,
                          STYLE_WHOLE_WORDS);
    }
    if (state->advice[0]) {
        add_label(out, "to do");
        style_add_wrapped(out, style, STYLE_PLAIN, state->advice, LABEL_COLUMNS + 2,
                          STYLE_WHOLE_WORDS);
    }
}

static void
string_or_null(struct json *json, const char *key, const char *value)
{
    json_key(json, key);
    json_string(json, value[0] ? value : NULL);
}

static void
names_json(struct json *json, const char *names)
{
    char name[WINE_NAME_BYTES];

    json_array_begin(json);
    while (*names) {
        size_t length = strcspn(names, ",");
        snprintf(name, sizeof(name), "%.*s", (int)length, names);
        json_string(json, name);
        names += length;
        names += *names == ',';
    }
    json_array_end(json);
}

static void
half_json(struct json *json, const struct wine_driver *driver, unsigned bits)
{
    json_object_begin(json);
    json_key(json, "bits");
    json_unsigned(json, bits);
    string_or_null(json, "registered", driver->windows_path);
    string_or_null(json, "file", driver->path);
    string_or_null(json, "version", driver->version);
    json_key(json, "same");
    json_bool(json, driver->same);
    json_key(json, "engine");
    json_bool(json, driver->engine);
    string_or_null(json, "bridge", driver->bridge);
    json_key(json, "native");
    json_bool(json, driver->windows_path[0] && !driver->native[0]);
    string_or_null(json, "not_native", driver->native);
    json_key(json, "profiles");
    names_json(json, driver->entries);
    json_object_end(json);
}

void
wine_show_json(struct json *json, const struct wine_prefix *prefix, const struct wine_state *state)
{
    json_object_begin(json);
    json_key(json, "path");
    json_string(json, prefix->path);
    json_key(json, "layout");
    json_string(json, wine_layout_name(prefix->layout));
    string_or_null(json, "name", prefix->name);
    string_or_null(json, "runner", prefix->runner);
    json_key(json, "sandboxed");
    json_bool(json, prefix->sandboxed);
    string_or_null(json, "wine", state->loader);
    string_or_null(json, "wine_version", state->version);
    json_key(json, "bits");
    json_unsigned(json, state->bits);
    json_key(json, "both");
    json_bool(json, state->both);
    json_key(json, "in_use");
    json_bool(json, state->in_use);
    json_key(json, "installed");
    json_bool(json, state->ours);
    json_key(json, "drivers");
    json_array_begin(json);
    half_json(json, &state->driver[WINE_64], 64);
    half_json(json, &state->driver[WINE_32], 32);
    json_array_end(json);
    string_or_null(json, "refused", state->fault);
    string_or_null(json, "advice", state->advice);
    json_object_end(json);
}
