/* SPDX-License-Identifier: MIT */
/* Group interface, texts and channels: names, versions, reasons, and what surrounds them. */
#include "conform/inside.h"
#include "conform/samples.h"

#include <string.h>

enum { MOST_CLOCKS = 16 };

/* ---- bounds ---- */

/* Length of a text, when it ends within its room; else failed and said. */
static bool
text_ends(struct conform *t, const char *what, const char *text, size_t room)
{
    return conform_expect(t, strnlen(text, room) < room, "%s is not terminated within %u bytes",
                          what, (unsigned)room);
}

static void
driver_name_is_the_registered_one(struct conform *t)
{
    for (unsigned state = LOADED; state <= INITIALIZED; state++) {
        char name[ASIO_NAME_BYTES + 1];
        struct subject *s = state == LOADED ? subject_create(t) : subject_open(t);
        if (!s) {
            return;
        }
        call_get_driver_name(s, name);
        if (text_ends(t, "getDriverName", name, ASIO_NAME_BYTES)) {
            conform_expect(t, strcmp(name, conform_driver_name(t)) == 0,
                           "getDriverName in %s says '%s', the registry '%s'",
                           subject_state_names[state], name, conform_driver_name(t));
        }
        subject_close(s);
        if (!conform_facts(t)->init) {
            return;
        }
    }
}

static void
driver_name_fits_31_characters(struct conform *t)
{
    size_t length = strlen(conform_driver_name(t));

    conform_figure(t, (double)length, "letters");
    conform_expect(t, length <= 31, "the registered name has %u characters", (unsigned)length);
    for (size_t i = 0; i < length; i++) {
        conform_expect(t, (unsigned char)conform_driver_name(t)[i] < 0x80,
                       "the registered name has a character beyond ASCII");
    }
}

static void
driver_version_is_steady(struct conform *t)
{
    struct subject *s = subject_create(t);

    if (!s) {
        return;
    }
    int32_t loaded = call_get_driver_version(s);
    subject_init(s);
    int32_t later = call_get_driver_version(s);
    conform_figure(t, later, "");
    conform_expect(t, later > 0, "the version is %d", (int)later);
    conform_expect(t, loaded == later, "the version is %d before init and %d after", (int)loaded,
                   (int)later);
    subject_close(s);
}

static void
error_message_is_bounded_in_each_state(struct conform *t)
{
    for (unsigned state = LOADED; state < SUBJECT_STATES; state++) {
        char text[ASIO_ERROR_BYTES + 1];
        struct subject *s = subject_in(t, (enum subject_state)state);
        if (!s) {
            return;
        }
        call_get_error_message(s, text);
        text_ends(t, "getErrorMessage", text, ASIO_ERROR_BYTES);
        subject_close(s);
    }
}

static void
a_refusal_leaves_a_reason(struct conform *t)
{
    char text[ASIO_ERROR_BYTES + 1];
    struct subject *s = subject_create(t);
    struct asio_channel_info info = {.channel = -1};
    const char *call = "a failed init";

    if (!s) {
        return;
    }
    if (call_init(s, NULL)) {
        call = "getChannelInfo of channel -1";
        int32_t answer = call_get_channel_info(s, &info);
        conform_expect(t, answer != ASIO_OK, "getChannelInfo of channel -1 answered OK");
    }
    call_get_error_message(s, text);
    if (text_ends(t, "getErrorMessage", text, ASIO_ERROR_BYTES)) {
        conform_expect(t, text[0], "after %s getErrorMessage has nothing to say", call);
    }
    subject_close(s);
}

/* ---- channels ---- */

static void
judge_channel(struct subject *s, bool is_input, int32_t channel, bool active)
{
    struct asio_channel_info info = {.channel = channel, .is_input = is_input, .is_active = -7};
    const char *kind = is_input ? "input" : "output";
    int32_t answer;

    memset(info.name, 0x7e, sizeof(info.name));
    answer = call_get_channel_info(s, &info);
    if (!conform_expect(s->t, answer == ASIO_OK, "getChannelInfo of %s %d answered %s", kind,
                        (int)channel, conform_error_text(answer))) {
        return;
    }
    conform_expect(s->t, info.channel == channel && (info.is_input != 0) == is_input,
                   "getChannelInfo changed which channel it was asked for");
    conform_expect(s->t, info.is_active == active, "%s %d has isActive %d, not %d", kind,
                   (int)channel, (int)info.is_active, active);
    conform_expect(s->t, info.group >= 0, "%s %d is in group %d", kind, (int)channel,
                   (int)info.group);
    conform_expect(s->t, samples_name(info.type)[0] != '?', "%s %d has sample type %d", kind,
                   (int)channel, (int)info.type);
    if (text_ends(s->t, "a channel's name", info.name, ASIO_NAME_BYTES)) {
        conform_expect(s->t, info.name[0], "%s %d has no name", kind, (int)channel);
    }
}

static void
judge_channels(struct subject *s, int32_t active_inputs, int32_t active_outputs)
{
    for (int32_t i = 0; i < s->inputs && !conform_failed(s->t); i++) {
        judge_channel(s, true, i, i < active_inputs);
    }
    for (int32_t i = 0; i < s->outputs && !conform_failed(s->t); i++) {
        judge_channel(s, false, i, i < active_outputs);
    }
}

static void
each_channel_describes_itself(struct conform *t)
{
    struct subject *s = subject_open(t);

    if (!s) {
        return;
    }
    conform_expect(t, s->inputs >= 0 && s->outputs >= 0 && s->inputs + s->outputs > 0,
                   "getChannels says %d inputs and %d outputs", (int)s->inputs, (int)s->outputs);
    conform_figure(t, s->inputs + s->outputs, "channels");
    judge_channels(s, 0, 0);
    subject_close(s);
}

static void
channels_with_buffers_are_active(struct conform *t)
{
    struct subject *s = subject_open(t);

    if (s && subject_prepare(s, 1, 1, 0)) {
        judge_channels(s, 1, 1);
        subject_dispose(s);
        judge_channels(s, 0, 0);
    }
    subject_close(s);
}

static void
there_are_no_channels_beyond(struct conform *t)
{
    struct subject *s = subject_open(t);
    const int32_t wrong[] = {-1, INT32_MIN, INT32_MAX, 0x10000};

    if (!s) {
        return;
    }
    for (unsigned side = 0; side < 2; side++) {
        int32_t there = side ? s->inputs : s->outputs;
        for (unsigned i = 0; i <= sizeof(wrong) / sizeof(*wrong); i++) {
            int32_t channel = i < sizeof(wrong) / sizeof(*wrong) ? wrong[i] : there;
            struct asio_channel_info info = {.channel = channel, .is_input = (int32_t)side};
            int32_t answer = call_get_channel_info(s, &info);
            conform_expect(t, answer != ASIO_OK && answer != ASIO_SUCCESS,
                           "getChannelInfo of %s %d of %d answered OK", side ? "input" : "output",
                           (int)channel, (int)there);
        }
    }
    subject_close(s);
}

/* ---- clocks ---- */

static void
clocks_are_listed_with_any_room(struct conform *t)
{
    struct asio_clock_source clocks[MOST_CLOCKS];
    struct subject *s = subject_open(t);
    int32_t count = MOST_CLOCKS, current = 0;

    if (!s) {
        return;
    }
    memset(clocks, 0x7e, sizeof(clocks));
    int32_t answer = call_get_clock_sources(s, clocks, &count);
    if (conform_expect(t, answer == ASIO_OK && count >= 1,
                       "getClockSources answered %s and %d clocks", conform_error_text(answer),
                       (int)count)) {
        for (int32_t i = 0; i < count && i < MOST_CLOCKS; i++) {
            current += clocks[i].is_current == 1;
            if (text_ends(t, "a clock's name", clocks[i].name, ASIO_NAME_BYTES)) {
                conform_expect(t, clocks[i].name[0], "clock %d has no name", (int)i);
            }
        }
        conform_expect(t, current == 1, "%d of %d clocks are current", (int)current, (int)count);
    }
    conform_figure(t, count, "clocks");
    for (int32_t room = 1; room >= 0; room--) {
        int32_t given = room;
        answer = call_get_clock_sources(s, clocks, &given);
        conform_expect(t, answer == ASIO_OK || room == 0,
                       "getClockSources with room for %d answered %s", (int)room,
                       conform_error_text(answer));
    }
    conform_expect(t, !(s->overrun & 1u << METHOD_get_clock_sources),
                   "getClockSources wrote more clocks than there was room for");
    subject_close(s);
}

static void
only_listed_clocks_can_be_chosen(struct conform *t)
{
    struct asio_clock_source clocks[MOST_CLOCKS];
    const int32_t wrong[] = {-1, 1000, INT32_MAX, INT32_MIN};
    struct subject *s = subject_open(t);
    int32_t count = MOST_CLOCKS;

    if (!s) {
        return;
    }
    if (call_get_clock_sources(s, clocks, &count) == ASIO_OK) {
        for (int32_t i = 0; i < count && i < MOST_CLOCKS; i++) {
            if (!clocks[i].is_current) {
                continue;
            }
            int32_t answer = call_set_clock_source(s, clocks[i].index);
            conform_expect(t, answer == ASIO_OK, "setClockSource of the current one answered %s",
                           conform_error_text(answer));
        }
    }
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        int32_t answer = call_set_clock_source(s, wrong[i]);
        conform_expect(t, answer != ASIO_OK, "setClockSource(%d) answered OK", (int)wrong[i]);
    }
    subject_close(s);
}

/* ---- guards ---- */

static void
touch_all(struct subject *s)
{
    char text[ASIO_ERROR_BYTES + 1];
    struct asio_clock_source clock[1];
    int32_t a = 0, b = 0, c = 0, d = 0, room = 1;
    uint64_t position, time_ns;
    double rate;
    void *object = NULL;
    struct asio_io_format format = {0};
    struct asio_internal_buffers internal = {0, 0};
    struct asio_channel_controls controls = {.is_input = 1};

    call_get_driver_name(s, text);
    call_get_error_message(s, text);
    call_get_channels(s, &a, &b);
    call_get_latencies(s, &a, &b);
    call_get_buffer_size(s, &a, &b, &c, &d);
    call_get_sample_rate(s, &rate);
    call_get_clock_sources(s, clock, &room);
    call_get_sample_position(s, &position, &time_ns);
    for (int32_t i = 0; i < s->inputs + s->outputs; i++) {
        struct asio_channel_info info = {.channel = i < s->inputs ? i : i - s->inputs,
                                         .is_input = i < s->inputs};
        call_get_channel_info(s, &info);
    }
    call_future(s, ASIO_FUTURE_GET_IO_FORMAT, &format, sizeof(format));
    call_future(s, ASIO_FUTURE_GET_INTERNAL_BUFFER_SAMPLES, &internal, sizeof(internal));
    call_future(s, ASIO_FUTURE_GET_INPUT_METER, &controls, sizeof(controls));
    if (call_query_interface(s, conform_clsid(s->t), &object) == 0 && object) {
        ((struct asio_driver *)object)->methods->release(object);
    }
}

static void
nothing_is_written_beyond_an_out_parameter(struct conform *t)
{
    for (unsigned state = LOADED; state < SUBJECT_STATES; state++) {
        struct subject *s = subject_in(t, (enum subject_state)state);
        if (!s) {
            return;
        }
        touch_all(s);
        for (unsigned i = 0; i < METHOD_COUNT; i++) {
            conform_expect(t, !(s->overrun & 1u << i), "%s in %s wrote %s what it was given",
                           conform_method_name((enum conform_method)i), subject_state_names[state],
                           s->overrun_above & 1u << i ? "beyond" : "before");
        }
        subject_close(s);
    }
}

static const struct conform_case cases[] = {
    {"driver_name_is_the_registered_one",
     "getDriverName equals the key under HKLM\\SOFTWARE\\ASIO, before and after init",
     "JUCE, juce_ASIO_windows.cpp: addDriverInfo lists the description, else the key; RtAudio, "
     "RtAudio.cpp: probeDevices finds drivers again by name",
     driver_name_is_the_registered_one, 0, 0},
    {"driver_name_fits_31_characters", "The registered name is ASCII and at most 31 characters",
     "tutti/asio.h: names have 32 bytes with the terminator", driver_name_fits_31_characters, 0, 0},
    {"driver_version_is_steady", "getDriverVersion is positive and the same before and after init",
     "tutti/asio.h; our own rule: because a host shows it and remembers it, and 0 or less tells "
     "nothing",
     driver_version_is_steady, 0, 0},
    {"error_message_is_bounded_in_each_state",
     "getErrorMessage writes a terminated text of at most 124 bytes in any state", "tutti/asio.h",
     error_message_is_bounded_in_each_state, NEED_STREAM, 0},
    {"a_refusal_leaves_a_reason",
     "After a failed init, or another call that is refused, getErrorMessage says why",
     "NAudio, AsioDriver.cs: HandleException shows it with each error", a_refusal_leaves_a_reason,
     0, 0},
    {"each_channel_describes_itself",
     "getChannelInfo gives each channel a known type, a group and a terminated name",
     "tutti/asio.h", each_channel_describes_itself, NEED_INIT, 0},
    {"channels_with_buffers_are_active",
     "isActive is 1 for channels with buffers, right after createBuffers, and 0 for all others",
     "tutti/asio.h: is_active; PortAudio, pa_asio.cpp: OpenStream asks right after createBuffers",
     channels_with_buffers_are_active, NEED_STREAM, 0},
    {"there_are_no_channels_beyond", "getChannelInfo refuses channels that are not there",
     "tutti/asio.h", there_are_no_channels_beyond, NEED_INIT, 0},
    {"clocks_are_listed_with_any_room",
     "getClockSources has one current clock and never writes more than there is room for",
     "JUCE, juce_ASIO_windows.cpp: updateClockSources has room for 32; NAudio, AsioDriver.cs: "
     "GetClockSources, for 16; our own rule: because a host may count first",
     clocks_are_listed_with_any_room, NEED_INIT, 0},
    {"only_listed_clocks_can_be_chosen",
     "setClockSource takes the current clock and refuses indices that were not listed",
     "tutti/asio.h", only_listed_clocks_can_be_chosen, NEED_INIT, 0},
    {"nothing_is_written_beyond_an_out_parameter",
     "No method writes before or beyond its out-parameters, in any state",
     "tutti/asio.h: sizes of structures and texts", nothing_is_written_beyond_an_out_parameter,
     NEED_STREAM, 20},
};

const struct conform_group conform_group_interface_texts = {"interface", NULL, cases,
                                                            sizeof(cases) / sizeof(*cases)};
