/* SPDX-License-Identifier: MIT */
/*
 * Buffers and callbacks. The buffers a host gets are the halves of the segment shared with the
 * engine: with float32 nothing is copied in between (other sample types: buffers.h). Callers hold
 * the gate: states are right, and but for the callback thread's part one thread at a time is here.
 */
#include "asio/driver.h"

/* ---- the callback thread ---- */

static void
call_host(struct driver *driver, const struct tutti_block *block, struct float_env *theirs)
{
    const struct driver_stream *stream = &driver->stream;
    int32_t half = (int32_t)block->half;

    struct asio_time time;
    if (stream->time_info) {
        block_fill_time(driver, block, &time);
    }
    float_env_leave(theirs);
    if (stream->time_info) {
        stream->callbacks.buffer_switch_time_info(&time, half, 1);
    } else {
        stream->callbacks.buffer_switch(half, 1);
    }
    float_env_enter(theirs);
}

static void
process(void *user, const struct tutti_block *block)
{
    struct driver *driver = user;
    struct float_env theirs;

    if (atomic_load(&driver->references) == 0) {
        return; /* released in the last call: the message thread is about to end this */
    }
    atomic_store(&driver->callback_tid, GetCurrentThreadId());
    float_env_enter(&theirs);
    block_put(&driver->block, block);
    buffers_begin(&driver->buffers, block);
    call_host(driver, block, &theirs);
    buffers_end(&driver->buffers, block);
    if (object_state(driver) != STATE_RUNNING) { /* stopped within this call */
        buffers_settle(&driver->buffers);
        buffers_clear(&driver->buffers);
    }
    float_env_leave(&theirs);
    atomic_store(&driver->callback_tid, 0);
}

/* ---- createBuffers ---- */

static bool
ask(const struct asio_callbacks *callbacks, int32_t selector, int32_t value,
    struct float_env *theirs)
{
    if (!callbacks->asio_message) {
        return false;
    }
    float_env_leave(theirs);
    int32_t answer = callbacks->asio_message(selector, value, NULL, NULL);
    float_env_enter(theirs);
    return answer == 1;
}

/* What the host knows, asked once, on its own thread. */
static void
ask_host(struct driver_stream *stream, struct float_env *theirs)
{
    static const int32_t asked[] = {
        ASIO_MESSAGE_RESET_REQUEST,     ASIO_MESSAGE_RESYNC_REQUEST,
        ASIO_MESSAGE_LATENCIES_CHANGED, ASIO_MESSAGE_SUPPORTS_TIME_INFO,
        ASIO_MESSAGE_OVERLOAD,          ASIO_MESSAGE_BUFFER_SIZE_CHANGE};
    const struct asio_callbacks *callbacks = &stream->callbacks;

    stream->host_knows = 0;
    for (unsigned i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        if (ask(callbacks, ASIO_MESSAGE_SELECTOR_SUPPORTED, asked[i], theirs)) {
            stream->host_knows |= 1u << asked[i];
        }
    }
    /* All three, or it was not asked for: hosts set the pointer and decline, or accept without one.
     */
    stream->time_info = callbacks->buffer_switch_time_info &&
                        stream->host_knows & 1u << ASIO_MESSAGE_SUPPORTS_TIME_INFO &&
                        ask(callbacks, ASIO_MESSAGE_SUPPORTS_TIME_INFO, 0, theirs);
}

/* The host's list as libtutti's two. */
struct channels {
    uint32_t inputs, outputs;
    struct tutti_channel input[TUTTI_MAX_CHANNELS], output[TUTTI_MAX_CHANNELS];
};

static int32_t
sort_channels(struct driver *driver, struct channels *channels,
              const struct asio_buffer_info *infos, int32_t count)
{
    uint16_t input_list[CONFIG_CHANNELS], output_list[CONFIG_CHANNELS];
    int32_t inputs = 0, outputs = 0;

    memset(channels, 0, sizeof(*channels));
    int32_t result = device_get_channels(driver, &inputs, &outputs);
    if (result) {
        return result;
    }
    device_map_channels(driver, true, input_list);
    device_map_channels(driver, false, output_list);
    for (int32_t i = 0; i < count; i++) {
        bool is_input = infos[i].is_input != 0;
        int32_t room = is_input ? inputs : outputs;
        uint32_t *used = is_input ? &channels->inputs : &channels->outputs;
        struct tutti_channel *list = is_input ? channels->input : channels->output;
        if (infos[i].channel < 0 || infos[i].channel >= room) {
            return object_fail(driver, ASIO_INVALID_PARAMETER, "there is no %s channel %d of %d",
                               is_input ? "input" : "output", (int)infos[i].channel, (int)room);
        }
        if (*used == TUTTI_MAX_CHANNELS) {
            return object_fail(driver, ASIO_INVALID_PARAMETER, "more than %d channels",
                               (int)TUTTI_MAX_CHANNELS);
        }
        list[*used].kind = TUTTI_CHANNEL_DEVICE;
        list[*used].channel = (is_input ? input_list : output_list)[infos[i].channel];
        (*used)++;
    }
    return ASIO_OK;
}

static int32_t
check_request(struct driver *driver, struct asio_buffer_info *infos, int32_t count,
              int32_t buffer_frames, const struct asio_callbacks *callbacks)
{
    if (!infos || count < 1 || count > 2 * TUTTI_MAX_CHANNELS) {
        return object_fail(driver, ASIO_INVALID_PARAMETER, "createBuffers with %d channels",
                           (int)count);
    }
    if (!callbacks || !callbacks->buffer_switch) {
        return object_fail(driver, ASIO_INVALID_PARAMETER, "createBuffers without bufferSwitch");
    }
    return device_check_buffer_size(driver, buffer_frames);
}

static void
give_buffers(struct driver *driver, struct asio_buffer_info *infos, int32_t count)
{
    uint32_t inputs = 0, outputs = 0;

    for (int32_t i = 0; i < count; i++) {
        bool is_input = infos[i].is_input != 0;
        uint32_t n = is_input ? inputs++ : outputs++;
        for (unsigned half = 0; half < 2; half++) {
            infos[i].buffers[half] = buffers_half(&driver->buffers, is_input, n, half);
        }
        atomic_store(is_input ? &driver->active_input[infos[i].channel]
                              : &driver->active_output[infos[i].channel],
                     true);
    }
}

static void
forget_active(struct driver *driver)
{
    for (unsigned i = 0; i < TUTTI_MAX_CHANNELS; i++) {
        atomic_store(&driver->active_input[i], false);
        atomic_store(&driver->active_output[i], false);
    }
}

int32_t
stream_create(struct driver *driver, struct asio_buffer_info *infos, int32_t count,
              int32_t buffer_frames, const struct asio_callbacks *callbacks,
              struct float_env *theirs)
{
    struct channels channels;
    struct driver_stream *stream = &driver->stream;
    uint32_t input = 0, output = 0;
    double rate_hz = 0;

    int32_t result = check_request(driver, infos, count, buffer_frames, callbacks);
    if (!result) {
        result = sort_channels(driver, &channels, infos, count);
    }
    if (result) {
        return result;
    }
    for (int32_t i = 0; i < count; i++) {
        infos[i].buffers[0] = infos[i].buffers[1] = NULL;
    }
    int32_t type = dsd_sample_type(driver);
    struct tutti_stream_params params = {
        .buffer_frames = (uint32_t)buffer_frames / dsd_unit(driver),
        .inputs = channels.inputs,
        .outputs = channels.outputs,
        .input = channels.input,
        .output = channels.output,
        .late_take = driver->config.program_late_take,
        .tight = driver->config.program_tight,
        .exact = convert_is_dsd(type),
        .prefilled = true,
        .process = process,
        .user = driver,
    };
    enum tutti_status status = tutti_prepare(driver->client, &params);
    if (!status) {
        status = tutti_get_latencies(driver->client, &input, &output);
    }
    if (!status && !buffers_open(&driver->buffers, driver->client, type, &params)) {
        status = TUTTI_NO_MEMORY;
    }
    if (status) {
        result = object_fail_status(driver, status);
        tutti_dispose(driver->client); /* there may be nothing: then it says so, and that is fine */
        return result;
    }
    stream->callbacks = *callbacks;
    stream->buffer_frames = (uint32_t)buffer_frames;
    device_known_channels(driver, &stream->inputs, &stream->outputs);
    atomic_store(&stream->told_offer, false);
    double seen_hz = double_of_bits(atomic_load(&driver->seen_rate));
    device_get_rate(driver, &rate_hz);
    rate_hz /= dsd_unit(driver);
    atomic_store(&driver->rate, bits_of_double(rate_hz));
    ask_host(stream, theirs);
    driver->told_rate_hz = seen_hz > 0 ? seen_hz : rate_hz;
    atomic_store(&driver->latencies, (uint64_t)input << 32 | output);
    block_clear(&driver->block);
    give_buffers(driver, infos, count);
    object_enter_state(driver, STATE_PREPARED);
    if (driver->told_rate_hz != rate_hz) { /* another program was faster */
        object_post_rate(driver, rate_hz);
    }
    return ASIO_OK;
}

/* ---- the others ---- */

int32_t
stream_start(struct driver *driver)
{
    block_clear(&driver->block);
    driver->former = (struct driver_former){0};
    /* A stop within a callback is finished here, so that what was filled since is not cleared. */
    if (!object_in_callback(driver)) {
        tutti_stop(driver->client);
    }
    buffers_start(&driver->buffers);
    driver->stream.time_offset_ns = block_time_offset_ns();
    /* Before the first callback: it may ask for its position. */
    object_enter_state(driver, STATE_RUNNING);
    enum tutti_status status = tutti_start(driver->client);
    if (status) {
        object_enter_state(driver, STATE_PREPARED);
        return object_fail_status(driver, status);
    }
    return ASIO_OK;
}

int32_t
stream_stop(struct driver *driver)
{
    enum tutti_status status = tutti_stop(driver->client);

    object_enter_state(driver, STATE_PREPARED);
    if (!object_in_callback(driver)) { /* else when it returns: process() */
        buffers_settle(&driver->buffers);
        buffers_clear(&driver->buffers);
    }
    return status ? object_fail_status(driver, status) : ASIO_OK;
}

void
stream_free(struct driver *driver)
{
    buffers_settle(&driver->buffers);
    tutti_dispose(driver->client);
    buffers_close(&driver->buffers);
}

void
stream_tear_down(struct driver *driver)
{
    bool in_callback = object_in_callback(driver);

    if (object_state(driver) == STATE_RUNNING) {
        stream_stop(driver);
    }
    if (object_state(driver) == STATE_PREPARED) {
        object_drop_messages(driver);
        forget_active(driver);
        object_enter_state(driver, STATE_INITIALIZED);
        if (in_callback) {
            /* The host still has these buffers until it returns. The object's next owner, the
             * message thread at the latest, frees them. */
            AcquireSRWLockExclusive(&driver->mutex);
            driver->dispose_deferred = true;
            ReleaseSRWLockExclusive(&driver->mutex);
            object_post(driver, MESSAGE_DISPOSE);
            return;
        }
        stream_free(driver);
    }
}

int32_t
stream_dispose(struct driver *driver)
{
    stream_tear_down(driver);
    return ASIO_OK;
}

int32_t
stream_get_position(struct driver *driver, struct asio_int64 *position, struct asio_int64 *time_ns)
{
    struct tutti_asio_block block;

    if (!block_get(&driver->block, &block)) {
        return object_fail(driver, ASIO_SP_NOT_ADVANCING, "the first block has not come yet");
    }
    if (position) {
        *position = asio_int64_from(block.position * dsd_unit(driver));
    }
    if (time_ns) {
        *time_ns = asio_int64_from(block.time_ns + driver->stream.time_offset_ns);
    }
    return ASIO_OK;
}

int32_t
stream_output_ready(struct driver *driver)
{
    bool late_take = object_state(driver) >= STATE_PREPARED ? driver->buffers.late_take
                                                            : driver->config.program_late_take;

    /* With late_take the block waits for the next call whatever the host says: nothing would be
     * gained, and the latency says so. */
    if (late_take) {
        return ASIO_NOT_PRESENT;
    }
    /* A host that only asks whether it pays, before it runs, must not be held to calling it. The
     * count is raised before the state is read: who tears down changes the state first. */
    atomic_fetch_add(&driver->buffers.preparing, 1);
    if (object_state(driver) == STATE_RUNNING) {
        buffers_ready(&driver->buffers);
        tutti_block_ready(driver->client);
    }
    atomic_fetch_sub(&driver->buffers.preparing, 1);
    return ASIO_OK;
}
