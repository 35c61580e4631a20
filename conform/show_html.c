/* SPDX-License-Identifier: MIT */
/* The report as one page that needs nothing else: to be read on a screen and to be printed. */
#include <stdio.h>
#include <string.h>

#include "conform/results.h"
#include "conform/samples.h"

static const char style_sheet[] =
    ":root{--ink:#1b2733;--faint:#66727f;--line:#dfe4ea;--good:#2f7d4f;--bad:#b3362b;--skip:#"
    "8a6d1a;"
    "--blue:#2a6f97;--orange:#e07a1f}\n"
    "*{box-sizing:border-box}\n"
    "body{font:15px/1.5 \"Segoe UI\",\"DejaVu Sans\",system-ui,sans-serif;color:var(--ink);"
    "max-width:1040px;margin:40px auto;padding:0 24px;background:#fff}\n"
    "h1{font-size:30px;font-weight:600;margin:0;letter-spacing:-.01em}\n"
    "h2{font-size:19px;font-weight:600;margin:36px 0 10px}\n"
    "p.about{color:var(--faint);margin:2px 0 22px}\n"
    ".sum{display:flex;gap:14px;margin:22px 0 10px}\n"
    ".sum div{flex:1;border:1px solid var(--line);border-radius:8px;padding:12px 16px}\n"
    ".sum b{display:block;font-size:30px;line-height:1.1;font-weight:600}\n"
    ".sum span{color:var(--faint);font-size:13px}\n"
    ".share{display:flex;height:8px;border-radius:4px;overflow:hidden;background:var(--line)}\n"
    ".share i{display:block}\n"
    ".passed{color:var(--good)}.failed{color:var(--bad)}.skipped{color:var(--skip)}\n"
    ".share .passed{background:var(--good)}.share .failed{background:var(--bad)}"
    ".share .skipped{background:#d9c27a}\n"
    "dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(170px,1fr));gap:10px 24px;"
    "margin:22px 0}\n"
    "dt{color:var(--faint);font-size:13px}dd{margin:0;font-weight:600}\n"
    "figure{margin:26px 0;break-inside:avoid}\n"
    "figcaption{color:var(--faint);margin-bottom:6px}figcaption "
    "b{color:var(--ink);font-weight:600}\n"
    "svg{width:100%;height:auto;display:block}\n"
    ".grid{stroke:var(--line)}.axis{stroke:var(--ink)}\n"
    ".tick,.label,.value{font-size:12px;fill:var(--faint)}.value{font-size:11px}\n"
    ".typical{stroke:var(--orange);stroke-dasharray:5 4}\n"
    ".dots{stroke:var(--blue);stroke-width:3.2;stroke-linecap:round;stroke-opacity:.55;fill:none}\n"
    ".bar,.found{fill:var(--blue)}.told{fill:#a9c9dc}\n"
    ".found-mark{color:var(--blue)}.told-mark{color:#6ea5c2}\n"
    "table{width:100%;border-collapse:collapse}\n"
    "thead{display:table-header-group}tr{break-inside:avoid}\n"
    "th{text-align:left;font-size:13px;color:var(--faint);font-weight:400}\n"
    "th,td{padding:8px 10px 8px 0;border-bottom:1px solid var(--line);vertical-align:top}\n"
    "td.verdict{width:74px;font-weight:600}td.figure{white-space:nowrap;text-align:right;"
    "padding-right:0;width:130px;font-variant-numeric:tabular-nums}\n"
    "code{font:13px/1.4 Consolas,\"DejaVu Sans Mono\",monospace;font-weight:600}\n"
    ".source{color:var(--faint);font-size:13px}.reason,.tries{margin-top:4px}\n"
    "tr.failed td .reason{color:var(--bad)}tr.skipped td .reason{color:var(--skip)}\n"
    "tr.failed,tr.skipped{color:inherit}tr.failed td.verdict{color:var(--bad)}"
    "tr.skipped td.verdict{color:var(--skip)}tr.passed{color:inherit}"
    "tr.passed td.verdict{color:var(--good)}\n"
    "footer{color:var(--faint);font-size:13px;margin-top:40px}\n"
    "@media print{body{margin:0;max-width:none;font-size:11px}h1{font-size:22px}"
    "h2{break-after:avoid}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}\n";

void
show_add_escaped(struct text *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            text_add(out, "&amp;");
            break;
        case '<':
            text_add(out, "&lt;");
            break;
        case '>':
            text_add(out, "&gt;");
            break;
        case '"':
            text_add(out, "&quot;");
            break;
        default:
            /* what a driver says is ANSI: bytes above are not utf-8, or not surely */
            text_add_bytes(out, (unsigned char)*text < 0x20 ? " " : text, 1);
        }
    }
}

/* ---- the head ---- */

static void
add_sum(struct text *out, const struct results *results)
{
    text_add(out, "<div class=\"sum\">");
    for (unsigned verdict = 0; verdict < VERDICTS; verdict++) {
        text_addf(out, "<div class=\"%s\"><b>%u</b><span>%s</span></div>", verdict_names[verdict],
                  results->verdicts[verdict], verdict_names[verdict]);
    }
    text_addf(out, "<div><b>%u</b><span>cases, %.0f s</span></div></div>\n<div class=\"share\">",
              results->count, results->seconds);
    for (unsigned verdict = 0; verdict < VERDICTS; verdict++) {
        text_addf(out, "<i class=\"%s\" style=\"flex:%u\"></i>", verdict_names[verdict],
                  results->verdicts[verdict]);
    }
    text_add(out, "</div>\n");
}

static void
add_fact(struct text *out, const char *name, const char *value)
{
    text_addf(out, "<div><dt>%s</dt><dd>", name);
    show_add_escaped(out, value);
    text_add(out, "</dd></div>\n");
}

static void
add_facts(struct text *out, const struct results *results)
{
    const struct conform_facts *facts = &results->facts;
    char text[96];

    text_add(out, "<dl>\n");
    snprintf(text, sizeof(text), "%s, %u bits", results->date, (unsigned)sizeof(void *) * 8);
    add_fact(out, "Judged", text);
    if (facts->looked && facts->init) {
        snprintf(text, sizeof(text), "%d in, %d out", (int)facts->inputs, (int)facts->outputs);
        add_fact(out, "Channels", text);
        add_fact(out, "Sample type",
                 samples_name(facts->output_type >= 0 ? facts->output_type : facts->input_type));
        snprintf(text, sizeof(text), "%g Hz", facts->rate_hz);
        add_fact(out, "Sample rate", text);
        snprintf(text, sizeof(text), "%d to %d, preferred %d", (int)facts->min, (int)facts->max,
                 (int)facts->preferred);
        add_fact(out, "Buffer, frames", text);
        if (facts->loop_output >= 0) {
            snprintf(text, sizeof(text), "output %d to input %d", (int)facts->loop_output,
                     (int)facts->loop_input);
        } else {
            snprintf(text, sizeof(text), "none found");
        }
        add_fact(out, "Loopback", text);
        snprintf(text, sizeof(text), "%d (%#x)", (int)facts->version, (unsigned)facts->version);
        add_fact(out, "Driver version", text);
    } else {
        add_fact(out, "init", facts->looked ? facts->error : results->look_error);
    }
    text_add(out, "</dl>\n");
}

/* ---- cases ---- */

static void
add_result(struct text *out, const struct result *result)
{
    const char *verdict = verdict_names[result->verdict];

    text_addf(out, "<tr class=\"%s\"><td class=\"verdict\">%s</td><td><code>%s</code><div>",
              verdict, verdict, result->one->name);
    show_add_escaped(out, result->one->rule);
    text_add(out, ".</div><div class=\"source\">");
    show_add_escaped(out, result->one->source);
    text_add(out, "</div>");
    if (result->reason) {
        text_add(out, "<div class=\"reason\">");
        show_add_escaped(out, result->reason);
        text_add(out, "</div>");
    }
    if (result->tries > 1) {
        text_addf(out, "<div class=\"tries\">tried %u times</div>", result->tries);
    }
    text_add(out, "</td><td class=\"figure\">");
    if (result->has_figure) {
        text_addf(out, "%.4g ", result->figure);
        show_add_escaped(out, result->unit);
    }
    text_add(out, "</td></tr>\n");
}

static void
add_results(struct text *out, const struct results *results)
{
    const char *group = "";

    for (unsigned i = 0; i < results->count; i++) {
        const struct result *result = &results->list[i];
        if (strcmp(group, result->group->name) != 0) {
            text_addf(out,
                      "%s<h2>%s: %s</h2>\n<table><thead><tr><th></th><th>case, rule, source</th>"
                      "<th class=\"figure\"></th></tr></thead><tbody>\n",
                      *group ? "</tbody></table>\n" : "", result->group->name,
                      result->group->about);
            group = result->group->name;
        }
        add_result(out, result);
    }
    text_add(out, *group ? "</tbody></table>\n" : "");
}

void
show_html(struct text *out, const struct results *results)
{
    text_add(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width\">\n<title>");
    show_add_escaped(out, results->driver);
    text_addf(out, ": ASIO conformance</title>\n<style>\n%s</style></head><body>\n<h1>",
              style_sheet);
    show_add_escaped(out, results->driver);
    text_add(out, "</h1>\n<p class=\"about\">ASIO conformance, judged case by case through the "
                  "public interface</p>\n");
    add_sum(out, results);
    add_facts(out, results);
    show_picture_callbacks(out, results);
    show_picture_jitter(out, results);
    show_picture_latency(out, results);
    add_results(out, results);
    text_add(out, "<footer>tutti conform " TUTTI_VERSION ". ASIO is a trademark of Steinberg Media "
                  "Technologies GmbH.</footer>\n</body></html>\n");
}
