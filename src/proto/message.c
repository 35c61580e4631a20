/* SPDX-License-Identifier: MIT */
/*
 * The check of a received message: one table row per type with its size, its direction and the
 * function that looks at its body. A message that passed it needs no other check but those that
 * depend on its own state.
 */
#include "proto/message.h"

#include <math.h>
#include <string.h>

#include "base/utf8.h"

/* NULL: good; else which field is wrong. */
typedef const char *(*check_body_fn)(const void *message);

#define TEXT_OK(field) utf8_check(field, sizeof(field))

static bool
rate_ok(double rate_hz)
{
    return isfinite(rate_hz) && rate_hz >= 0 && rate_hz <= PROTO_MAX_RATE_HZ;
}

/* Two of them and a buffer still add up within 32 signed bits. */
static bool
latencies_ok(uint32_t input_frames, uint32_t output_frames)
{
    return input_frames <= PROTO_MAX_LATENCY_FRAMES && output_frames <= PROTO_MAX_LATENCY_FRAMES;
}

static const char *
check_empty(const void *message)
{
    (void)message;
    return NULL;
}

static const char *
check_hello(const void *message)
{
    const struct proto_hello *hello = message;
    if (hello->oldest_version == 0 || hello->oldest_version > hello->header.version) {
        return "HELLO.oldest_version";
    }
    if (hello->bits != 32 && hello->bits != 64) {
        return "HELLO.bits";
    }
    if (!TEXT_OK(hello->program)) {
        return "HELLO.program";
    }
    return TEXT_OK(hello->profile) ? NULL : "HELLO.profile";
}

static bool
rates_ok(const double *rate_hz, unsigned count)
{
    unsigned good = 0;
    while (good < count && rate_ok(rate_hz[good])) {
        good++;
    }
    return good == count;
}

static bool
peaks_ok(const float *peak)
{
    for (unsigned m = 0; m < PROTO_STATUS_METERS; m++) {
        /* Infinity is what a program played that plays infinity. */
        if (!(peak[m] >= 0)) {
            return false;
        }
    }
    return true;
}

static bool
at_most(uint64_t value, uint64_t limit)
{
    return value <= limit;
}

/* A row of proto/fields.h holds its limit. */
#define FIELD_OK_TEXT(value, bytes) TEXT_OK(value)
#define FIELD_OK_STATE(value, count) at_most(value, (count)-1)
#define FIELD_OK_U32(value, largest) at_most(value, largest)
#define FIELD_OK_U64(value, largest) at_most(value, largest)
#define FIELD_OK_RATE(value, none) rate_ok(value)
#define FIELD_OK_RATES(value, count) rates_ok(value, count)
#define FIELD_OK_PEAKS(value, channels) peaks_ok(value)

static const char *
check_device(const struct proto_device *device)
{
#define CHECK_FIELD(type, name, limit, ...)                                                        \
    if (!FIELD_OK_##type(device->name, limit)) {                                                   \
        return "device." #name;                                                                    \
    }
    DEVICE_FIELDS(CHECK_FIELD)
#undef CHECK_FIELD
    return device->period_min_frames <= device->period_max_frames ? NULL
                                                                  : "device.period_min_frames";
}

static const char *
check_welcome(const void *message)
{
    const struct proto_welcome *welcome = message;
    if (!welcome->generation) {
        return "WELCOME.generation";
    }
    if (!welcome->program_id) {
        return "WELCOME.program_id";
    }
    if (!TEXT_OK(welcome->engine_version)) {
        return "WELCOME.engine_version";
    }
    return check_device(&welcome->device);
}

static bool
channel_ok(const struct proto_channel *channel, bool input)
{
    bool kind_ok =
        input ? channel->kind < PROTO_CHANNEL_KIND_COUNT
              : channel->kind == PROTO_CHANNEL_DEVICE || channel->kind == PROTO_CHANNEL_NONE;
    return kind_ok && channel->channel < PROTO_MAX_CHANNELS;
}

static const char *
check_prepare(const void *message)
{
    const struct proto_prepare *prepare = message;
    struct proto_layout layout;
    if (proto_layout_init(&layout, prepare->buffer_frames, prepare->inputs, prepare->outputs) !=
        TUTTI_OK) {
        return "PREPARE.buffer_frames, inputs or outputs";
    }
    if (prepare->flags &
        ~(uint32_t)(PROTO_PREPARE_LATE_TAKE | PROTO_PREPARE_TIGHT | PROTO_PREPARE_EXACT)) {
        return "PREPARE.flags";
    }
    if (!latencies_ok(prepare->wanted_input_latency_frames,
                      prepare->wanted_output_latency_frames)) {
        return "PREPARE.wanted_latency_frames";
    }
    for (uint32_t c = 0; c < prepare->inputs; c++) {
        if (!channel_ok(&prepare->input[c], true)) {
            return "PREPARE.input";
        }
    }
    for (uint32_t c = 0; c < prepare->outputs; c++) {
        if (!channel_ok(&prepare->output[c], false)) {
            return "PREPARE.output";
        }
    }
    return NULL;
}

static const char *
check_prepared(const void *message)
{
    const struct proto_prepared *prepared = message;
    if (!latencies_ok(prepared->input_latency_frames, prepared->output_latency_frames)) {
        return "PREPARED.latency_frames";
    }
    return check_device(&prepared->device);
}

static const char *
check_set_rate(const void *message)
{
    const struct proto_set_rate *set_rate = message;
    return rate_ok(set_rate->rate_hz) && set_rate->rate_hz > 0 ? NULL : "SET_RATE.rate_hz";
}

static const char *
check_forecast(const void *message)
{
    const struct proto_forecast *forecast = message;
    struct proto_layout layout;
    if (proto_layout_init(&layout, forecast->buffer_frames, 1, 0) != TUTTI_OK) {
        return "FORECAST.buffer_frames";
    }
    return forecast->flags &
                   ~(uint32_t)(PROTO_PREPARE_LATE_TAKE | PROTO_PREPARE_TIGHT | PROTO_PREPARE_EXACT)
               ? "FORECAST.flags"
               : NULL;
}

static const char *
check_forecast_reply(const void *message)
{
    const struct proto_forecast_reply *reply = message;
    return latencies_ok(reply->input_latency_frames, reply->output_latency_frames)
               ? NULL
               : "FORECAST_REPLY.latency_frames";
}

static const char *
check_program_status(const struct proto_program_status *program)
{
#define CHECK_FIELD(type, name, limit, ...)                                                        \
    if (!FIELD_OK_##type(program->name, limit)) {                                                  \
        return "STATUS_REPLY.program." #name;                                                      \
    }
    CLIENT_STATUS_FIELDS(CHECK_FIELD)
#undef CHECK_FIELD
    if (!program->program_id) {
        return "STATUS_REPLY.program.program_id";
    }
    return program->bits == 32 || program->bits == 64 ? NULL : "STATUS_REPLY.program.bits";
}

static const char *
check_status_reply(const void *message)
{
    const struct proto_status_reply *reply = message;
    if (reply->here > PROTO_STATUS_PROGRAMS ||
        (reply->here && (reply->first_program > reply->program_count ||
                         reply->here > reply->program_count - reply->first_program))) {
        return "STATUS_REPLY.here";
    }
    for (uint32_t p = 0; p < reply->here; p++) {
        const char *wrong = check_program_status(&reply->program[p]);
        if (wrong) {
            return wrong;
        }
    }
    if (!TEXT_OK(reply->problem)) {
        return "STATUS_REPLY.problem";
    }
    if (reply->device_count > PROTO_STATUS_DEVICES) {
        return "STATUS_REPLY.device_count";
    }
    for (uint32_t d = 0; d < reply->device_count; d++) {
        const char *wrong = check_device(&reply->open_device[d].device);
        if (wrong) {
            return wrong;
        }
    }
    const char *wrong = check_device(&reply->device);
    return wrong ? wrong : check_device(&reply->own_device);
}

static const char *
check_devices_reply(const void *message)
{
    const struct proto_devices_reply *reply = message;
    if (reply->count > PROTO_DEVICE_ENTRIES) {
        return "DEVICES_REPLY.count";
    }
    for (uint32_t d = 0; d < reply->count; d++) {
        const struct proto_device_entry *device = &reply->device[d];
        if (!TEXT_OK(device->name) || !TEXT_OK(device->backend)) {
            return "DEVICES_REPLY.device.name or backend";
        }
        if (device->is_default > 1) {
            return "DEVICES_REPLY.device.is_default";
        }
    }
    return NULL;
}

static const char *
check_error(const void *message)
{
    const struct proto_error *error = message;
    if (error->status == TUTTI_OK || error->status >= TUTTI_STATUS_COUNT) {
        return "ERROR.status";
    }
    return TEXT_OK(error->text) ? NULL : "ERROR.text";
}

static const char *
check_event(const void *message)
{
    const struct proto_event *event = message;
    if (event->kind >= PROTO_EVENT_KIND_COUNT) {
        return "EVENT.kind";
    }
    if (event->header.serial != 0) {
        return "EVENT.serial";
    }
    if (!rate_ok(event->rate_hz)) {
        return "EVENT.rate_hz";
    }
    if (!latencies_ok(event->input_latency_frames, event->output_latency_frames)) {
        return "EVENT.latency_frames";
    }
    return TEXT_OK(event->text) ? NULL : "EVENT.text";
}

static bool
gain_ok(float gain)
{
    return gain >= 0 && gain <= PROTO_MAX_GAIN;
}

static const char *
check_monitor(const void *message)
{
    const struct proto_monitor *monitor = message;
    if (monitor->count > PROTO_MAX_PATHS) {
        return "MONITOR.count";
    }
    for (uint32_t p = 0; p < monitor->count; p++) {
        const struct proto_path *path = &monitor->path[p];
        if (path->input >= PROTO_MAX_CHANNELS || path->output >= PROTO_MAX_CHANNELS ||
            !gain_ok(path->gain)) {
            return "MONITOR.path";
        }
    }
    for (uint32_t c = 0; c < PROTO_MAX_CHANNELS; c++) {
        if (!gain_ok(monitor->input_gain[c]) || !gain_ok(monitor->output_gain[c])) {
            return "MONITOR.input_gain or output_gain";
        }
    }
    return NULL;
}

/* The bodies' check functions by type; sizes and directions come from PROTO_MESSAGE_TABLE. */
static const check_body_fn check_body[PROTO_TYPE_COUNT] = {
    [PROTO_HELLO] = check_hello,       [PROTO_WELCOME] = check_welcome,
    [PROTO_PREPARE] = check_prepare,   [PROTO_PREPARED] = check_prepared,
    [PROTO_DISPOSE] = check_empty,     [PROTO_SET_RATE] = check_set_rate,
    [PROTO_STATUS] = check_empty,      [PROTO_STATUS_REPLY] = check_status_reply,
    [PROTO_DEVICES] = check_empty,     [PROTO_DEVICES_REPLY] = check_devices_reply,
    [PROTO_LEAVE] = check_empty,       [PROTO_OK] = check_empty,
    [PROTO_ERROR] = check_error,       [PROTO_EVENT] = check_event,
    [PROTO_MONITOR] = check_monitor,   [PROTO_CAN_RATE] = check_set_rate,
    [PROTO_FORECAST] = check_forecast, [PROTO_FORECAST_REPLY] = check_forecast_reply,
};

static const struct {
    const char *name;
    uint32_t size_bytes;
    char direction;
} table[PROTO_TYPE_COUNT] = {
#define ROW(name, body, direction) [PROTO_##name] = {#name, sizeof(struct body), #direction[0]},
    PROTO_MESSAGE_TABLE(ROW)
#undef ROW
};

void
proto_header_init(struct proto_header *header, enum proto_type type, uint32_t serial)
{
    *header = (struct proto_header){
        .size_bytes = proto_size(type),
        .type = (uint16_t)type,
        .version = proto_versions.spoken,
        .serial = serial,
    };
}

uint32_t
proto_size(enum proto_type type)
{
    return (unsigned)type < PROTO_TYPE_COUNT ? table[type].size_bytes : 0;
}

const char *
proto_type_name(unsigned type)
{
    return type < PROTO_TYPE_COUNT && table[type].name ? table[type].name : "?";
}

enum tutti_status
proto_check(const void *message, size_t message_bytes, bool from_program, const char **why)
{
    struct proto_header header;
    if (message_bytes < sizeof(header)) {
        *why = "shorter than a header";
        return TUTTI_PROTOCOL;
    }
    memcpy(&header, message, sizeof(header));
    if (header.size_bytes != message_bytes) {
        *why = "header.size_bytes";
        return TUTTI_PROTOCOL;
    }
    /* LEAVE is a header alone, the same in all versions: a newer program may ask an older engine to
     * leave. Of other versions' messages nothing but the header is known, not even which types
     * there are. */
    bool leaves = from_program && header.type == PROTO_LEAVE && message_bytes == sizeof(header);
    bool known = header.version >= proto_versions.oldest && header.version <= proto_versions.spoken;
    if (!known && !leaves) {
        *why = "header.version";
        return TUTTI_VERSION_MISMATCH;
    }
    if (header.type == PROTO_NONE || header.type >= PROTO_TYPE_COUNT ||
        table[header.type].direction != (from_program ? 'P' : 'E')) {
        *why = "header.type";
        return TUTTI_PROTOCOL;
    }
    if (message_bytes != table[header.type].size_bytes) {
        *why = "size for its type";
        return TUTTI_PROTOCOL;
    }
    const char *wrong = check_body[header.type](message);
    if (wrong) {
        *why = wrong;
        return TUTTI_PROTOCOL;
    }
    return TUTTI_OK;
}
