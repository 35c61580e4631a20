/* SPDX-License-Identifier: MIT */
/* Group interface, buffers: sizes offered and taken, what createBuffers refuses and what it gives.
 */
#include "conform/inside.h"
#include "conform/samples.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_SIZES = 16, SIZES_S = 30, MOST_FRAMES = 65536 };

/* ---- sizes ---- */

static bool
is_power_of_two(int32_t n)
{
    return n > 0 && (n & (n - 1)) == 0;
}

static void
buffer_sizes_are_consistent(struct conform *t)
{
    struct subject *s = subject_open(t);

    if (!s) {
        return;
    }
    int32_t min = s->min, max = s->max, preferred = s->preferred, granularity = s->granularity;
    conform_figure(t, preferred, "frames");
    conform_expect(t, min > 0 && min <= max, "the smallest buffer is %d, the largest %d", (int)min,
                   (int)max);
    conform_expect(t, preferred >= min && preferred <= max, "%d is preferred, out of %d to %d",
                   (int)preferred, (int)min, (int)max);
    if (min == max) {
        conform_expect(t, granularity == 0, "one size only, but the granularity is %d",
                       (int)granularity);
    } else {
        conform_expect(t, granularity == -1 || granularity > 0,
                       "several sizes, but the granularity is %d", (int)granularity);
    }
    if (granularity == -1) {
        conform_expect(t,
                       is_power_of_two(min) && is_power_of_two(max) && is_power_of_two(preferred),
                       "granularity -1, but %d, %d, %d are not all powers of two", (int)min,
                       (int)max, (int)preferred);
    }
    if (granularity > 0) {
        conform_expect(t, (preferred - min) % granularity == 0,
                       "%d is preferred, but from %d in steps of %d it is not reached",
                       (int)preferred, (int)min, (int)granularity);
    }
    subject_close(s);
}

/* Sizes that are offered, from the smallest to the largest, some left out. */
static unsigned
list_sizes(const struct subject *s, int32_t sizes[MOST_SIZES])
{
    unsigned count = 0;

    if (s->min < 1 || s->max < s->min) {
        return 0;
    }
    for (int64_t size = s->min; size <= s->max && count < MOST_SIZES - 1;) {
        sizes[count++] = (int32_t)size;
        if (s->granularity == 0 || s->min == s->max) {
            break;
        }
        int64_t next = size * 2;
        if (s->granularity > 0) {
            next = s->min + (next - s->min) / s->granularity * s->granularity;
        }
        size = next > size ? next : size + (s->granularity > 0 ? s->granularity : 1);
    }
    if (count && sizes[count - 1] != s->max && s->granularity != 0) {
        sizes[count++] = s->max;
    }
    return count;
}

static void
each_offered_size_is_taken(struct conform *t)
{
    int32_t sizes[MOST_SIZES];
    struct subject *s = subject_open(t);
    unsigned count = s ? list_sizes(s, sizes) : 0;

    for (unsigned i = 0; i < count; i++) {
        if (!subject_prepare(s, 1, 1, sizes[i])) {
            conform_fail(t, "a buffer of %d frames was offered", (int)sizes[i]);
            break;
        }
        subject_dispose(s);
    }
    conform_figure(t, count, "sizes");
    subject_close(s);
}

static void
sizes_that_are_not_offered_do_no_harm(struct conform *t)
{
    struct subject *s = subject_open(t);

    if (!s) {
        return;
    }
    const int32_t wrong[] = {0, -1, INT32_MIN, INT32_MAX, s->min - 1, s->max + 1};
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct asio_buffer_info info = {.is_input = s->outputs > 0 ? 0 : 1};
        int32_t answer = call_create_buffers(s, &info, 1, wrong[i], &s->host.callbacks);
        conform_expect(t, answer != ASIO_OK || (wrong[i] > 0 && wrong[i] < MOST_FRAMES),
                       "createBuffers with %d frames answered OK", (int)wrong[i]);
        if (answer == ASIO_OK) {
            call_dispose_buffers(s);
        }
    }
    if (subject_prepare(s, 2, 2, 0)) {
        subject_stream(s, 2);
    }
    subject_close(s);
}

/* ---- lists of channels ---- */

static void
refuse(struct subject *s, const char *what, struct asio_buffer_info *infos, int32_t count)
{
    int32_t answer = call_create_buffers(s, infos, count, s->preferred, &s->host.callbacks);

    conform_expect(s->t, answer != ASIO_OK, "createBuffers %s answered OK", what);
    if (answer == ASIO_OK) {
        call_dispose_buffers(s);
    }
}

static void
wrong_lists_of_channels_are_refused(struct conform *t)
{
    struct subject *s = subject_open(t);

    if (!s) {
        return;
    }
    int32_t side = s->outputs > 0 ? 0 : 1, there = side ? s->inputs : s->outputs;
    struct asio_buffer_info infos[2] = {{.is_input = side}, {.is_input = side}};
    infos[0].channel = -1;
    refuse(s, "of channel -1", infos, 1);
    infos[0].channel = there;
    refuse(s, "of a channel one beyond the last", infos, 1);
    infos[0].channel = INT32_MAX;
    refuse(s, "of channel 2147483647", infos, 1);
    infos[0].channel = 0;
    refuse(s, "of -1 channels", infos, -1);
    refuse(s, "without a list", NULL, 1);
    infos[1].channel = there;
    refuse(s, "of a good and a bad channel", infos, 2);
    if (subject_prepare(s, 2, 2, 0)) {
        subject_stream(s, 2);
    }
    subject_close(s);
}

static void
callbacks_are_needed(struct conform *t)
{
    struct subject *s = subject_open(t);

    if (!s) {
        return;
    }
    struct asio_buffer_info info = {.is_input = s->outputs > 0 ? 0 : 1};
    int32_t answer = call_create_buffers(s, &info, 1, s->preferred, NULL);
    conform_expect(t, answer != ASIO_OK, "createBuffers without callbacks answered OK");
    if (answer == ASIO_OK) {
        call_dispose_buffers(s);
    }
    if (subject_prepare(s, 2, 2, 0)) {
        subject_stream(s, 2);
    }
    subject_close(s);
}

static void
callbacks_are_copied(struct conform *t)
{
    struct subject *s = subject_open(t);

    if (!s) {
        return;
    }
    struct asio_callbacks *mortal = malloc(sizeof(*mortal));
    struct asio_buffer_info info = {.is_input = s->outputs > 0 ? 0 : 1};
    if (mortal) {
        *mortal = s->host.callbacks;
        int32_t answer = call_create_buffers(s, &info, 1, s->preferred, mortal);
        memset(mortal, 0, sizeof(*mortal));
        if (answer == ASIO_OK) {
            s->prepared = true;
            s->buffer_frames = s->preferred;
            s->count = 0;
            subject_stream(s, 3);
        } else {
            subject_fail(s, METHOD_create_buffers, answer);
        }
        subject_close(s);
        free(mortal);
    }
}

/* ---- what is given ---- */

static size_t
half_bytes(const struct subject *s, int32_t i)
{
    unsigned bytes = samples_bytes(s->types[i]);

    return (size_t)s->buffer_frames * (bytes ? bytes : 1) / (bytes ? 1 : 8);
}

/* Halves that share memory. */
static bool
overlap(const struct subject *s, int32_t i, int32_t k)
{
    for (unsigned a = 0; a < 2; a++) {
        for (unsigned b = 0; b < 2; b++) {
            const unsigned char *one = s->infos[i].buffers[a], *two = s->infos[k].buffers[b];
            if (i == k && a == b) {
                continue;
            }
            if (one < two + half_bytes(s, k) && two < one + half_bytes(s, i)) {
                return true;
            }
        }
    }
    return false;
}

static void
each_channel_gets_two_halves_of_its_own(struct conform *t)
{
    struct subject *s = subject_open(t);

    if (!s || !subject_prepare(s, -1, -1, 0)) {
        subject_close(s);
        return;
    }
    for (int32_t i = 0; i < s->count && !conform_failed(t); i++) {
        conform_expect(t, s->infos[i].buffers[0] && s->infos[i].buffers[1],
                       "channel %d of the list has no buffers", (int)i);
        for (unsigned half = 0; half < 2; half++) {
            conform_expect(t, ((uintptr_t)s->infos[i].buffers[half] & 3) == 0,
                           "a half of channel %d of the list is not aligned to 4 bytes", (int)i);
        }
    }
    for (int32_t i = 0; i < s->count && !conform_failed(t); i++) {
        for (int32_t k = i; k < s->count; k++) {
            conform_expect(t, !overlap(s, i, k), "channels %d and %d of the list share memory",
                           (int)i, (int)k);
        }
    }
    conform_figure(t, s->count, "channels");
    subject_close(s);
}

static void
halves_can_be_written_whole(struct conform *t)
{
    struct subject *s = subject_open(t);

    if (s && subject_prepare(s, 2, 2, 0)) {
        for (int32_t i = 0; i < s->count; i++) {
            for (unsigned half = 0; half < 2; half++) {
                memset(s->infos[i].buffers[half], 0, half_bytes(s, i));
            }
        }
        subject_stream(s, 3);
    }
    subject_close(s);
}

static void
create_buffers_writes_its_list_only(struct conform *t)
{
    struct subject *s = subject_open(t);
    struct asio_buffer_info infos[3], untouched = {0x5a5a5a5a, 0x5a5a5a5a, {NULL, NULL}};

    if (!s) {
        return;
    }
    infos[0] = infos[2] = untouched;
    infos[1] = (struct asio_buffer_info){.is_input = s->outputs > 0 ? 0 : 1};
    int32_t answer = call_create_buffers(s, &infos[1], 1, s->preferred, &s->host.callbacks);
    if (answer == ASIO_OK) {
        s->prepared = true;
        conform_expect(t,
                       memcmp(&infos[0], &untouched, sizeof(untouched)) == 0 &&
                           memcmp(&infos[2], &untouched, sizeof(untouched)) == 0,
                       "createBuffers of one channel wrote beyond its list");
        conform_expect(t, infos[1].channel == 0, "createBuffers changed the channel's number");
    } else {
        subject_fail(s, METHOD_create_buffers, answer);
    }
    subject_close(s);
}

static void
latencies_are_sensible(struct conform *t)
{
    struct subject *s = subject_open(t);
    int32_t input = -1, output = -1;

    if (!s) {
        return;
    }
    int32_t answer = call_get_latencies(s, &input, &output);
    conform_expect(t, answer != ASIO_OK || (input >= 0 && output >= 0),
                   "before createBuffers the latencies are %d and %d", (int)input, (int)output);
    if (subject_prepare(s, 2, 2, 0)) {
        double second = s->rate_hz > 0 ? s->rate_hz : 48000;
        int32_t both = s->input_latency + s->output_latency;
        conform_expect(t,
                       s->input_latency >= 0 && s->output_latency >= 0 && both >= s->buffer_frames,
                       "with buffers of %d the latencies are %d and %d", (int)s->buffer_frames,
                       (int)s->input_latency, (int)s->output_latency);
        conform_expect(t, both < second, "a round trip of %d frames is over a second", (int)both);
        conform_figure(t, both, "frames");
    }
    subject_close(s);
}

static const struct conform_case cases[] = {
    {"buffer_sizes_are_consistent",
     "min <= preferred <= max; one size has granularity 0, powers of two have -1, else the steps "
     "reach the preferred one",
     "tutti/asio.h; dechamps/FlexASIO, issue 88 (Max crashes on a minimum below 32); "
     "mdias/rs_asio, issue 128 (-1 with a single size); PortAudio, pa_asio.cpp: "
     "SelectHostBufferSize",
     buffer_sizes_are_consistent, NEED_INIT, 0},
    {"each_offered_size_is_taken", "createBuffers takes the sizes that getBufferSize offers",
     "tutti/asio.h", each_offered_size_is_taken, NEED_STREAM, SIZES_S},
    {"sizes_that_are_not_offered_do_no_harm",
     "createBuffers refuses 0 and negative sizes, survives all others, and works afterwards",
     "tutti/asio.h; JUCE, juce_ASIO_windows.cpp: open and RtAudio, RtAudio.cpp: probeDeviceOpen "
     "try the preferred size after a refusal",
     sizes_that_are_not_offered_do_no_harm, NEED_STREAM, 0},
    {"wrong_lists_of_channels_are_refused",
     "createBuffers refuses channels that are not there and no list, and works afterwards",
     "tutti/asio.h; wineasio/wineasio, issue 79 (a host asks for more channels than there are)",
     wrong_lists_of_channels_are_refused, NEED_STREAM, 0},
    {"callbacks_are_needed", "createBuffers refuses a NULL in place of the callbacks",
     "tutti/asio.h", callbacks_are_needed, NEED_STREAM, 0},
    {"callbacks_are_copied", "The struct with the callbacks may be dead when createBuffers returns",
     "RustAudio/cpal, pull request 626 (the struct was on the stack)", callbacks_are_copied,
     NEED_STREAM, 0},
    {"each_channel_gets_two_halves_of_its_own",
     "createBuffers gives each channel two halves, aligned and shared with nobody", "tutti/asio.h",
     each_channel_gets_two_halves_of_its_own, NEED_STREAM, 0},
    {"halves_can_be_written_whole",
     "All halves, also those of inputs, can be written over their whole length",
     "PortAudio, pa_asio.cpp: bufferSwitchTimeInfo converts samples in place, in input buffers, "
     "too",
     halves_can_be_written_whole, NEED_STREAM, 0},
    {"create_buffers_writes_its_list_only",
     "createBuffers writes the buffers of its list and no more", "tutti/asio.h",
     create_buffers_writes_its_list_only, NEED_STREAM, 0},
    {"latencies_are_sensible",
     "Latencies are not negative, together not below one buffer and below a second",
     "JUCE, juce_ASIO_windows.cpp: readLatencies after createBuffers; recordings are shifted by "
     "them",
     latencies_are_sensible, NEED_STREAM, 0},
};

const struct conform_group conform_group_interface_buffers = {"interface", NULL, cases,
                                                              sizeof(cases) / sizeof(*cases)};
