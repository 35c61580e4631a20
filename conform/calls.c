/* SPDX-License-Identifier: MIT */
/* The 24 methods, watched and with guarded out-parameters. See conform.h. */
#include "conform/inside.h"

#include <string.h>

/* ---- which call runs ---- */

const char *
conform_method_name(enum conform_method method)
{
    static const char *const names[METHOD_COUNT] = {
#define METHOD_NAME(member, text) [METHOD_##member] = text,
        CONFORM_METHODS(METHOD_NAME)
#undef METHOD_NAME
    };

    return (unsigned)method < METHOD_COUNT ? names[method] : "?";
}

/* With all slots taken a call is not watched, that is all. */
static struct shared_call *
enter(enum conform_method method)
{
    struct shared_call *calls = conform_child->shared->calls;

    for (unsigned i = 0; i < SHARED_CALLS; i++) {
        uint32_t none = 0;
        if (!atomic_load_explicit(&calls[i].method, memory_order_relaxed) &&
            atomic_compare_exchange_strong(&calls[i].method, &none, (uint32_t)method + 1)) {
            atomic_store(&calls[i].since_ms, conform_now_ms());
            return &calls[i];
        }
    }
    return NULL;
}

static void
leave(struct shared_call *call)
{
    if (call) {
        atomic_store(&call->since_ms, 0);
        atomic_store(&call->method, 0);
    }
}

#define WATCHED(method, result, expression)                                                        \
    do {                                                                                           \
        struct shared_call *watched = enter(METHOD_##method);                                      \
        (result) = s->asio->methods->expression;                                                   \
        leave(watched);                                                                            \
    } while (0)

#define WATCHED_VOID(method, expression)                                                           \
    do {                                                                                           \
        struct shared_call *watched = enter(METHOD_##method);                                      \
        s->asio->methods->expression;                                                              \
        leave(watched);                                                                            \
    } while (0)

/* ---- room with guards ---- */

enum { GUARD_BYTES = 64, ROOM_BYTES = 16 * sizeof(struct asio_clock_source), GUARD = 0xA5 };

/* The value's bytes lie between two guards; those behind the upper one are not used. */
struct room {
    _Alignas(16) unsigned char bytes[GUARD_BYTES + ROOM_BYTES + GUARD_BYTES];
};

/* Room for a value that begins as the host's own has it (or as guard bytes). NULL for NULL. */
static void *
room_for(struct room *room, const void *value, size_t bytes)
{
    if (!value) {
        return NULL;
    }
    memset(room->bytes, GUARD, GUARD_BYTES + bytes + GUARD_BYTES);
    memcpy(room->bytes + GUARD_BYTES, value, bytes);
    return room->bytes + GUARD_BYTES;
}

static bool
is_guard(const unsigned char *bytes)
{
    for (unsigned i = 0; i < GUARD_BYTES; i++) {
        if (bytes[i] != GUARD) {
            return false;
        }
    }
    return true;
}

/* Takes the value back and looks at the guards. */
static void
room_take(struct subject *s, enum conform_method method, const struct room *room, void *value,
          size_t bytes)
{
    uint32_t bit = 1u << method;

    if (!value) {
        return;
    }
    memcpy(value, room->bytes + GUARD_BYTES, bytes);
    if (!is_guard(room->bytes)) {
        s->overrun_below |= bit;
    }
    if (!is_guard(room->bytes + GUARD_BYTES + bytes)) {
        s->overrun_above |= bit;
    }
    s->overrun = s->overrun_below | s->overrun_above;
}

/* ---- IUnknown ---- */

int32_t
call_query_interface(struct subject *s, const struct asio_guid *iid, void **object)
{
    struct room room;
    int32_t result;
    void **out = room_for(&room, object, sizeof(*object));

    WATCHED(query_interface, result, query_interface(s->asio, iid, out));
    room_take(s, METHOD_query_interface, &room, object, sizeof(*object));
    return result;
}

uint32_t
call_add_ref(struct subject *s)
{
    uint32_t result;

    WATCHED(add_ref, result, add_ref(s->asio));
    return result;
}

uint32_t
call_release(struct subject *s)
{
    uint32_t result;

    WATCHED(release, result, release(s->asio));
    if (result == 0) {
        s->asio = NULL;
    }
    return result;
}

/* ---- texts ---- */

int32_t
call_init(struct subject *s, void *window)
{
    int32_t result;

    WATCHED(init, result, init(s->asio, window));
    return result;
}

void
call_get_driver_name(struct subject *s, char name[ASIO_NAME_BYTES + 1])
{
    struct room room;

    memset(name, GUARD, ASIO_NAME_BYTES);
    char *out = room_for(&room, name, ASIO_NAME_BYTES);
    WATCHED_VOID(get_driver_name, get_driver_name(s->asio, out));
    room_take(s, METHOD_get_driver_name, &room, name, ASIO_NAME_BYTES);
    name[ASIO_NAME_BYTES] = '\0';
}

int32_t
call_get_driver_version(struct subject *s)
{
    int32_t result;

    WATCHED(get_driver_version, result, get_driver_version(s->asio));
    return result;
}

void
call_get_error_message(struct subject *s, char text[ASIO_ERROR_BYTES + 1])
{
    struct room room;

    memset(text, GUARD, ASIO_ERROR_BYTES);
    char *out = room_for(&room, text, ASIO_ERROR_BYTES);
    WATCHED_VOID(get_error_message, get_error_message(s->asio, out));
    room_take(s, METHOD_get_error_message, &room, text, ASIO_ERROR_BYTES);
    text[ASIO_ERROR_BYTES] = '\0';
}

/* ---- one or more numbers ---- */

int32_t
call_start(struct subject *s)
{
    int32_t result;

    WATCHED(start, result, start(s->asio));
    return result;
}

int32_t
call_stop(struct subject *s)
{
    int32_t result;

    WATCHED(stop, result, stop(s->asio));
    return result;
}

int32_t
call_get_channels(struct subject *s, int32_t *inputs, int32_t *outputs)
{
    struct room in, out;
    int32_t result;
    int32_t *first = room_for(&in, inputs, sizeof(*inputs));
    int32_t *second = room_for(&out, outputs, sizeof(*outputs));

    WATCHED(get_channels, result, get_channels(s->asio, first, second));
    room_take(s, METHOD_get_channels, &in, inputs, sizeof(*inputs));
    room_take(s, METHOD_get_channels, &out, outputs, sizeof(*outputs));
    return result;
}

int32_t
call_get_latencies(struct subject *s, int32_t *input_frames, int32_t *output_frames)
{
    struct room in, out;
    int32_t result;
    int32_t *first = room_for(&in, input_frames, sizeof(*input_frames));
    int32_t *second = room_for(&out, output_frames, sizeof(*output_frames));

    WATCHED(get_latencies, result, get_latencies(s->asio, first, second));
    room_take(s, METHOD_get_latencies, &in, input_frames, sizeof(*input_frames));
    room_take(s, METHOD_get_latencies, &out, output_frames, sizeof(*output_frames));
    return result;
}

int32_t
call_get_buffer_size(struct subject *s, int32_t *min, int32_t *max, int32_t *preferred,
                     int32_t *granularity)
{
    enum { VALUES = 4 };
    int32_t *values[VALUES] = {min, max, preferred, granularity}, *given[VALUES], result;
    struct room rooms[VALUES];

    for (unsigned i = 0; i < VALUES; i++) {
        given[i] = room_for(&rooms[i], values[i], sizeof(*values[i]));
    }
    WATCHED(get_buffer_size, result,
            get_buffer_size(s->asio, given[0], given[1], given[2], given[3]));
    for (unsigned i = 0; i < VALUES; i++) {
        room_take(s, METHOD_get_buffer_size, &rooms[i], values[i], sizeof(*values[i]));
    }
    return result;
}

int32_t
call_can_sample_rate(struct subject *s, double rate_hz)
{
    int32_t result;

    WATCHED(can_sample_rate, result, can_sample_rate(s->asio, rate_hz));
    return result;
}

int32_t
call_get_sample_rate(struct subject *s, double *rate_hz)
{
    struct room room;
    int32_t result;
    double *out = room_for(&room, rate_hz, sizeof(*rate_hz));

    WATCHED(get_sample_rate, result, get_sample_rate(s->asio, out));
    room_take(s, METHOD_get_sample_rate, &room, rate_hz, sizeof(*rate_hz));
    return result;
}

int32_t
call_set_sample_rate(struct subject *s, double rate_hz)
{
    int32_t result;

    WATCHED(set_sample_rate, result, set_sample_rate(s->asio, rate_hz));
    return result;
}

/* ---- clocks, positions, channels ---- */

int32_t
call_get_clock_sources(struct subject *s, struct asio_clock_source *clocks, int32_t *count)
{
    struct room list, number;
    int32_t result;
    size_t bytes = clocks && count && *count > 0 ? (size_t)*count * sizeof(*clocks) : 0;
    int32_t *given_count = room_for(&number, count, sizeof(*count));

    if (bytes > ROOM_BYTES) {
        bytes = ROOM_BYTES;
    }
    struct asio_clock_source *given = room_for(&list, clocks, bytes);
    WATCHED(get_clock_sources, result, get_clock_sources(s->asio, given, given_count));
    room_take(s, METHOD_get_clock_sources, &list, clocks, bytes);
    room_take(s, METHOD_get_clock_sources, &number, count, sizeof(*count));
    return result;
}

int32_t
call_set_clock_source(struct subject *s, int32_t index)
{
    int32_t result;

    WATCHED(set_clock_source, result, set_clock_source(s->asio, index));
    return result;
}

int32_t
call_get_sample_position(struct subject *s, uint64_t *position, uint64_t *time_ns)
{
    struct room first, second;
    struct asio_int64 frames = {0, 0}, time = {0, 0};
    int32_t result;
    struct asio_int64 *in = room_for(&first, position ? &frames : NULL, sizeof(frames));
    struct asio_int64 *out = room_for(&second, time_ns ? &time : NULL, sizeof(time));

    WATCHED(get_sample_position, result, get_sample_position(s->asio, in, out));
    room_take(s, METHOD_get_sample_position, &first, position ? &frames : NULL, sizeof(frames));
    room_take(s, METHOD_get_sample_position, &second, time_ns ? &time : NULL, sizeof(time));
    if (position) {
        *position = asio_int64_value(frames);
    }
    if (time_ns) {
        *time_ns = asio_int64_value(time);
    }
    return result;
}

int32_t
call_get_channel_info(struct subject *s, struct asio_channel_info *info)
{
    struct room room;
    int32_t result;
    struct asio_channel_info *out = room_for(&room, info, sizeof(*info));

    WATCHED(get_channel_info, result, get_channel_info(s->asio, out));
    room_take(s, METHOD_get_channel_info, &room, info, sizeof(*info));
    return result;
}

/* ---- the rest ---- */

int32_t
call_create_buffers(struct subject *s, struct asio_buffer_info *infos, int32_t count,
                    int32_t buffer_frames, const struct asio_callbacks *callbacks)
{
    int32_t result;

    WATCHED(create_buffers, result,
            create_buffers(s->asio, infos, count, buffer_frames, callbacks));
    return result;
}

int32_t
call_dispose_buffers(struct subject *s)
{
    int32_t result;

    WATCHED(dispose_buffers, result, dispose_buffers(s->asio));
    return result;
}

int32_t
call_control_panel(struct subject *s)
{
    int32_t result;

    WATCHED(control_panel, result, control_panel(s->asio));
    return result;
}

int32_t
call_future(struct subject *s, int32_t selector, void *parameter, unsigned bytes)
{
    struct room room;
    int32_t result;
    void *out = room_for(&room, parameter, bytes);

    WATCHED(future, result, future(s->asio, selector, out));
    room_take(s, METHOD_future, &room, parameter, bytes);
    return result;
}

int32_t
call_output_ready(struct subject *s)
{
    int32_t result;

    WATCHED(output_ready, result, output_ready(s->asio));
    return result;
}
