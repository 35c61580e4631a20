/* SPDX-License-Identifier: MIT */
/*
 * A first look at the driver: what it has, whether it plays at all, and whether an input hears an
 * output. Nothing is judged; cases say what is wrong, and those whose needs are not met are
 * skipped.
 */
#include "conform/inside.h"

#include "base/utf8.h"
#include "conform/loop.h"

enum { BLOCKS = 4 };

static void
look_at_channels(struct subject *s, struct conform_facts *facts)
{
    struct asio_channel_info info = {.is_input = 1};

    facts->input_type = facts->output_type = -1;
    if (s->inputs > 0 && call_get_channel_info(s, &info) == ASIO_OK) {
        facts->input_type = info.type;
    }
    info = (struct asio_channel_info){0};
    if (s->outputs > 0 && call_get_channel_info(s, &info) == ASIO_OK) {
        facts->output_type = info.type;
    }
}

static void
look_at_error(struct subject *s, struct conform_facts *facts)
{
    char text[ASIO_ERROR_BYTES + 1];

    call_get_error_message(s, text);
    utf8_copy(facts->error, sizeof(facts->error), text);
}

static void
look_inside(struct subject *s, struct conform_facts *facts)
{
    char name[ASIO_NAME_BYTES + 1];

    call_get_driver_name(s, name);
    utf8_copy(facts->name, sizeof(facts->name), name);
    facts->init = subject_init(s);
    if (!facts->init) {
        look_at_error(s, facts);
        return;
    }
    facts->version = call_get_driver_version(s);
    facts->inputs = s->inputs;
    facts->outputs = s->outputs;
    facts->min = s->min;
    facts->max = s->max;
    facts->preferred = s->preferred;
    facts->granularity = s->granularity;
    facts->rate_hz = s->rate_hz;
    look_at_channels(s, facts);
    /* Should the driver not live to see the rest: that is tried by each case. */
    facts->looked = facts->streams = 1;
    facts->loop_output = facts->loop_input = 0;
    s->t->shared->facts = *facts;
    facts->loop_output = facts->loop_input = -1;
    facts->streams = subject_prepare(s, 2, 2, 0) && subject_stream(s, BLOCKS);
    subject_dispose(s);
    if (facts->streams) {
        loop_look(s, &facts->loop_output, &facts->loop_input);
    }
}

void
look(struct conform *t)
{
    struct conform_facts facts = {.loop_output = -1, .loop_input = -1};
    struct subject *s = subject_create(t);

    if (!s) {
        return;
    }
    look_inside(s, &facts);
    facts.looked = 1;
    t->shared->facts = facts;
    subject_close(s);
}
