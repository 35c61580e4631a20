/* SPDX-License-Identifier: MIT */
/* Results for a terminal and as JSON. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "console/json.h"
#include "conform/inside.h"
#include "conform/results.h"
#include "conform/samples.h"

enum { NAME_COLUMNS = 56, REASON_INDENT = 10, REASON_COLUMNS = STYLE_COLUMNS - REASON_INDENT };

static const struct {
    const char *mark, *plain;
    enum style_tone tone;
} looks[VERDICTS] = {
    [VERDICT_PASSED] = {"\u2713", "ok", STYLE_GOOD},
    [VERDICT_FAILED] = {"\u2717", "FAIL", STYLE_BAD},
    [VERDICT_SKIPPED] = {"\u2013", "skip", STYLE_FAINT},
};

/* ---- terminal ---- */

void
show_driver(struct text *out, const struct style *style, const struct results *results)
{
    const struct conform_facts *facts = &results->facts;

    style_add(out, style, STYLE_STRONG, results->driver, 0);
    text_addf(out, ", as a %u-bit program sees it\n", (unsigned)sizeof(void *) * 8);
    if (!facts->looked) {
        text_addf(out, "  it could not be looked at: %s\n", results->look_error);
        return;
    }
    if (!facts->init) {
        text_addf(out, "  init fails: %s\n", facts->error);
        return;
    }
    text_addf(out, "  %d in, %d out, %s, ", (int)facts->inputs, (int)facts->outputs,
              samples_name(facts->output_type >= 0 ? facts->output_type : facts->input_type));
    style_add_rate(out, facts->rate_hz);
    text_addf(out, " Hz, buffers of %d to %d frames, preferably %d\n", (int)facts->min,
              (int)facts->max, (int)facts->preferred);
    if (facts->loop_output >= 0) {
        text_addf(out, "  input %d hears output %d\n", (int)facts->loop_input,
                  (int)facts->loop_output);
    } else {
        text_add(out, "  no input hears an output: latency cannot be measured\n");
    }
}

/* Words of a reason within the columns, each line indented. */
static void
add_wrapped(struct text *out, const char *text)
{
    size_t column = 0;

    while (*text) {
        size_t length = strcspn(text, " ");
        if (column == 0 || column + 1 + length > REASON_COLUMNS) {
            text_add(out, column ? "\n" : "");
            text_add_times(out, " ", REASON_INDENT);
            column = 0;
        } else {
            text_add(out, " ");
            column++;
        }
        text_add_bytes(out, text, length);
        column += length;
        text += length;
        text += strspn(text, " ");
    }
    text_add(out, "\n");
}

static void
add_figure(struct text *out, const struct result *result)
{
    double size = fabs(result->figure);
    int decimals = size >= 100 || result->figure == floor(result->figure) ? 0 : size >= 1 ? 2 : 4;

    text_addf(out, "%.*f %s", decimals, result->figure, result->unit);
}

void
show_result(struct text *out, const struct style *style, const struct result *result)
{
    text_add(out, "  ");
    style_add(out, style, looks[result->verdict].tone,
              style->unicode ? looks[result->verdict].mark : looks[result->verdict].plain,
              style->unicode ? 2 : 5);
    if (result->has_figure) {
        text_add_column(out, result->one->name, NAME_COLUMNS, style_ellipsis(style));
        text_add(out, " ");
        add_figure(out, result);
    } else {
        text_add(out, result->one->name);
    }
    if (result->tries > 1) {
        text_addf(out, ", tried %u times", result->tries);
    }
    text_add(out, "\n");
    if (result->reason) {
        add_wrapped(out, result->reason);
    }
}

void
show_sum(struct text *out, const struct style *style, const struct results *results)
{
    const unsigned *n = results->verdicts;
    char text[64];

    text_add(out, "\n");
    snprintf(text, sizeof(text), "%u passed", n[VERDICT_PASSED]);
    style_add(out, style, STYLE_GOOD, text, 0);
    snprintf(text, sizeof(text), "%u failed", n[VERDICT_FAILED]);
    text_add(out, ", ");
    style_add(out, style, n[VERDICT_FAILED] ? STYLE_BAD : STYLE_PLAIN, text, 0);
    text_addf(out, ", %u skipped, of %u cases in ", n[VERDICT_SKIPPED], results->count);
    style_add_span(out, results->seconds);
    text_add(out, "\n");
}

/* ---- lists ---- */

/* True when a table goes on with the group before. */
static bool
same_group(unsigned number)
{
    return number > 0 &&
           strcmp(conform_groups[number]->name, conform_groups[number - 1]->name) == 0;
}

void
show_list(struct text *out, const struct style *style, const char *only)
{
    for (unsigned g = 0; conform_groups[g]; g++) {
        const struct conform_group *group = conform_groups[g];
        if (!same_group(g)) {
            text_add(out, g ? "\n" : "");
            style_add(out, style, STYLE_STRONG, group->name, 0);
            text_addf(out, ": %s\n", group->about);
        }
        for (unsigned i = 0; i < group->count; i++) {
            if (!conform_chosen(only, group, &group->cases[i])) {
                continue;
            }
            text_addf(out, "  %s\n", group->cases[i].name);
            add_wrapped(out, group->cases[i].rule);
        }
    }
}

void
show_list_markdown(struct text *out)
{
    for (unsigned g = 0; conform_groups[g]; g++) {
        const struct conform_group *group = conform_groups[g];
        if (!same_group(g)) {
            text_addf(out, "%s### %s: %s\n\n| Case | Rule | Source |\n|---|---|---|\n",
                      g ? "\n" : "", group->name, group->about);
        }
        for (unsigned i = 0; i < group->count; i++) {
            text_addf(out, "| `%s` | %s | %s |\n", group->cases[i].name, group->cases[i].rule,
                      group->cases[i].source);
        }
    }
}

/* ---- JSON ---- */

static void
add_json_result(struct json *json, const struct result *result)
{
    json_object_begin(json);
    json_key(json, "name");
    json_string(json, result->one->name);
    json_key(json, "group");
    json_string(json, result->group->name);
    json_key(json, "rule");
    json_string(json, result->one->rule);
    json_key(json, "source");
    json_string(json, result->one->source);
    json_key(json, "verdict");
    json_string(json, verdict_names[result->verdict]);
    json_key(json, "reason");
    json_string(json, result->reason);
    json_key(json, "figure");
    if (result->has_figure) {
        json_object_begin(json);
        json_key(json, "value");
        json_number(json, result->figure);
        json_key(json, "unit");
        json_string(json, result->unit);
        json_object_end(json);
    } else {
        json_null(json);
    }
    json_key(json, "tries");
    json_unsigned(json, result->tries ? result->tries : 1);
    json_object_end(json);
}

static void
add_json_driver(struct json *json, const struct results *results)
{
    const struct conform_facts *facts = &results->facts;

    json_key(json, "driver");
    json_object_begin(json);
    json_key(json, "name");
    json_string(json, results->driver);
    json_key(json, "bits");
    json_integer(json, (int64_t)sizeof(void *) * 8);
    json_key(json, "init");
    json_bool(json, facts->init);
    json_key(json, "inputs");
    json_integer(json, facts->inputs);
    json_key(json, "outputs");
    json_integer(json, facts->outputs);
    json_key(json, "rate_hz");
    json_number(json, facts->rate_hz);
    json_key(json, "preferred_frames");
    json_integer(json, facts->preferred);
    json_key(json, "sample_type");
    json_string(json,
                samples_name(facts->output_type >= 0 ? facts->output_type : facts->input_type));
    json_key(json, "loopback");
    json_bool(json, facts->loop_output >= 0);
    json_object_end(json);
}

void
show_json(struct text *out, const struct results *results)
{
    struct json json;

    json_init(&json, out);
    json_object_begin(&json);
    json_key(&json, "cases");
    json_unsigned(&json, results->count);
    for (unsigned verdict = 0; verdict < VERDICTS; verdict++) {
        json_key(&json, verdict_names[verdict]);
        json_unsigned(&json, results->verdicts[verdict]);
    }
    json_key(&json, "date");
    json_string(&json, results->date);
    add_json_driver(&json, results);
    json_key(&json, "results");
    json_array_begin(&json);
    for (unsigned i = 0; i < results->count; i++) {
        text_add(out, "\n");
        add_json_result(&json, &results->list[i]);
    }
    json_array_end(&json);
    json_object_end(&json);
    text_add(out, "\n");
}
