/* SPDX-License-Identifier: MIT */
/* What came of a run, and how it is shown. */
#ifndef TUTTI_CONFORM_RESULTS_H
#define TUTTI_CONFORM_RESULTS_H

#include "console/style.h"
#include "console/text.h"
#include "conform/conform.h"
#include "conform/find.h"

enum verdict { VERDICT_PASSED, VERDICT_FAILED, VERDICT_SKIPPED, VERDICTS };
extern const char *const verdict_names[VERDICTS];

enum { RESULT_SERIES = 3, RESULT_UNIT_BYTES = 32, RESULT_NAME_BYTES = 24 };

/* Points for a picture. */
struct series {
    char name[RESULT_NAME_BYTES];
    unsigned count;
    double *x, *y; /* owned */
};

struct result {
    const struct conform_group *group;
    const struct conform_case *one;
    enum verdict verdict;
    char *reason; /* owned; NULL: passed */
    bool has_figure;
    double figure;
    char unit[RESULT_UNIT_BYTES];
    unsigned tries; /* how often it was tried; 0: once, as it is not one that is tried again */
    double seconds; /* it took */
    struct series series[RESULT_SERIES];
    unsigned series_count;
};

struct results {
    char driver[FIND_NAME_BYTES]; /* as registered, utf-8 */
    char date[32];                /* when it began, local time */
    struct conform_facts facts;
    char look_error[CONFORM_TEXT_BYTES]; /* why it could not be looked at first; "": it could */
    struct result *list;                 /* owned */
    unsigned count;
    unsigned verdicts[VERDICTS];
    double seconds;
};

void results_init(struct results *results, const char *driver);
void results_fini(struct results *results);

/* ---- parent.c ---- */

struct parent_options {
    const char *called;        /* how a child is called, without its arguments */
    const char *driver, *only; /* only: NULL for all */
    const char *except;        /* cases that may fail, as `only` names them; NULL: none */
    double seconds;            /* of the cases of open length */
    double patience_s;         /* a call of the driver that lasts longer has hung */
    /** After each case; NULL: nobody wants to know. */
    void (*progress)(void *user, const struct result *result);
    void *user;
};
/** Runs the chosen cases in children. False: error says why it could not. */
bool parent_run(struct results *results, const struct parent_options *options,
                char error[CONFORM_TEXT_BYTES]);

/* ---- show.c, show_html.c, show_picture.c ---- */

/** What the driver is, before the cases. */
void show_driver(struct text *out, const struct style *style, const struct results *results);
/** A case as one line, with its reason below when it did not pass. */
void show_result(struct text *out, const struct style *style, const struct result *result);
/** The sum, as one line. */
void show_sum(struct text *out, const struct style *style, const struct results *results);
/** All cases there are; for a terminal, and as a table for a document. */
void show_list(struct text *out, const struct style *style, const char *only);
void show_list_markdown(struct text *out);
/** cases, passed, failed, skipped and one entry per case, with what the driver is. */
void show_json(struct text *out, const struct results *results);
/** A page of its own, pictures included. */
void show_html(struct text *out, const struct results *results);
/** Adds text with the characters that HTML has for itself replaced. */
void show_add_escaped(struct text *out, const char *text);

/** Pictures as inline SVG; nothing when the results hold no points for them. */
void show_picture_callbacks(struct text *out, const struct results *results);
void show_picture_jitter(struct text *out, const struct results *results);
void show_picture_latency(struct text *out, const struct results *results);

#endif
