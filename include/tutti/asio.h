/* SPDX-License-Identifier: MIT */
/*
 * The binary interface between ASIO hosts and ASIO drivers, in plain C, for both sides and without
 * windows.h. It was written from public facts about the interface; it is not Steinberg's SDK and
 * shares no name with it, so both can be included in one file.
 *
 * A driver is a COM in-process server. A host finds it under HKLM\SOFTWARE\ASIO, calls
 * CoCreateInstance with the driver's CLSID as class and as interface id, and gets a pointer to a
 * pointer to 24 functions. There are no proxies: the pointer is used directly.
 *
 * Usual sequence:
 *
 *     init -> getChannels, getBufferSize, canSampleRate, setSampleRate, getChannelInfo
 *          -> createBuffers -> getLatencies -> start -> bufferSwitch… -> stop -> disposeBuffers
 *          -> Release
 *
 * Structures are packed to 4 bytes; the asserts at the end hold for 32 and 64 bits. Text is
 * zero-terminated ANSI. ASIO is a trademark and software of Steinberg Media Technologies GmbH.
 */
#ifndef TUTTI_ASIO_H
#define TUTTI_ASIO_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/* GCC calls every thiscall pointer outside a class unusual. It is, and it is right here. */
#if defined(__i386__) && defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wattributes"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Calling conventions of 32-bit x86; every other processor has one only. The driver's own methods
 * were declared as C++ members without a convention, hence thiscall: `this` in ECX, the callee pops
 * the rest. The three methods of IUnknown are stdcall, and a host's callbacks are cdecl.
 * (Microsoft's compiler takes __thiscall on pointers, as callers need it, but not on plain
 * functions: a 32-bit driver is built with GCC or clang, or as a C++ class there.)
 */
#if defined(__i386__) || defined(_M_IX86)
#ifdef _MSC_VER
#define TUTTI_ASIO __thiscall
#define TUTTI_ASIO_UNKNOWN __stdcall
#define TUTTI_ASIO_HOST __cdecl
#else
#define TUTTI_ASIO __attribute__((thiscall))
#define TUTTI_ASIO_UNKNOWN __attribute__((stdcall))
#define TUTTI_ASIO_HOST __attribute__((cdecl))
#endif
#else
#define TUTTI_ASIO
#define TUTTI_ASIO_UNKNOWN
#define TUTTI_ASIO_HOST
#endif

/* ---- numbers ---- */

enum {
    ASIO_NAME_BYTES = 32,   /* of a driver, a channel, a clock, with the terminator */
    ASIO_ERROR_BYTES = 124, /* of an error text, with the terminator */
};

enum asio_error {
    ASIO_OK = 0,
    ASIO_SUCCESS = 0x3f4847a0, /* what future() answers when it did it */
    ASIO_NOT_PRESENT = -1000,  /* there is no such hardware, or the driver is not initialised */
    ASIO_HW_MALFUNCTION = -999,
    ASIO_INVALID_PARAMETER = -998,
    ASIO_INVALID_MODE = -997,     /* not now, or not in this way */
    ASIO_SP_NOT_ADVANCING = -996, /* no sample position: nothing runs */
    ASIO_NO_CLOCK = -995,         /* not this sample rate */
    ASIO_NO_MEMORY = -994
};

enum asio_sample_type {
    ASIO_INT16_MSB = 0,
    ASIO_INT24_MSB = 1, /* packed in three bytes */
    ASIO_INT32_MSB = 2,
    ASIO_FLOAT32_MSB = 3,
    ASIO_FLOAT64_MSB = 4,
    ASIO_INT32_MSB16 = 8, /* 32-bit containers whose low 16, 18, 20, 24 bits count */
    ASIO_INT32_MSB18 = 9,
    ASIO_INT32_MSB20 = 10,
    ASIO_INT32_MSB24 = 11,
    ASIO_INT16_LSB = 16,
    ASIO_INT24_LSB = 17,
    ASIO_INT32_LSB = 18,
    ASIO_FLOAT32_LSB = 19,
    ASIO_FLOAT64_LSB = 20,
    ASIO_INT32_LSB16 = 24,
    ASIO_INT32_LSB18 = 25,
    ASIO_INT32_LSB20 = 26,
    ASIO_INT32_LSB24 = 27,
    ASIO_DSD_INT8_LSB1 = 32, /* eight 1-bit samples per byte, the first in the lowest bit */
    ASIO_DSD_INT8_MSB1 = 33,
    ASIO_DSD_INT8_NER8 = 40 /* one byte per sample */
};

/* What future() is asked. Parameter in brackets. */
enum asio_future {
    ASIO_FUTURE_ENABLE_TIME_CODE_READ = 1,
    ASIO_FUTURE_DISABLE_TIME_CODE_READ = 2,
    ASIO_FUTURE_SET_INPUT_MONITOR = 3, /* struct asio_input_monitor */
    ASIO_FUTURE_TRANSPORT = 4,         /* struct asio_transport */
    ASIO_FUTURE_SET_INPUT_GAIN = 5,    /* struct asio_channel_controls, here and below */
    ASIO_FUTURE_GET_INPUT_METER = 6,
    ASIO_FUTURE_SET_OUTPUT_GAIN = 7,
    ASIO_FUTURE_GET_OUTPUT_METER = 8,
    ASIO_FUTURE_CAN_INPUT_MONITOR = 9,
    ASIO_FUTURE_CAN_TIME_INFO = 10,
    ASIO_FUTURE_CAN_TIME_CODE = 11,
    ASIO_FUTURE_CAN_TRANSPORT = 12,
    ASIO_FUTURE_CAN_INPUT_GAIN = 13,
    ASIO_FUTURE_CAN_INPUT_METER = 14,
    ASIO_FUTURE_CAN_OUTPUT_GAIN = 15,
    ASIO_FUTURE_CAN_OUTPUT_METER = 16,
    ASIO_FUTURE_SET_IO_FORMAT = 0x23111961, /* struct asio_io_format, here and below */
    ASIO_FUTURE_GET_IO_FORMAT = 0x23111983,
    ASIO_FUTURE_CAN_DO_IO_FORMAT = 0x23112004,
    ASIO_FUTURE_CAN_REPORT_OVERLOAD = 0x24042012,
    ASIO_FUTURE_GET_INTERNAL_BUFFER_SAMPLES = 0x25042012 /* struct asio_internal_buffers */
};

/* What a driver tells or asks its host through asio_message. */
enum asio_message {
    ASIO_MESSAGE_SELECTOR_SUPPORTED = 1, /* value: a selector; 1 when the host knows it */
    ASIO_MESSAGE_ENGINE_VERSION = 2,
    ASIO_MESSAGE_RESET_REQUEST = 3, /* dispose and create everything again, not within this call */
    ASIO_MESSAGE_BUFFER_SIZE_CHANGE = 4,
    ASIO_MESSAGE_RESYNC_REQUEST = 5, /* time was lost */
    ASIO_MESSAGE_LATENCIES_CHANGED = 6,
    ASIO_MESSAGE_SUPPORTS_TIME_INFO = 7, /* 1: buffer_switch_time_info may be used */
    ASIO_MESSAGE_SUPPORTS_TIME_CODE = 8,
    ASIO_MESSAGE_MMC_COMMAND = 9,
    ASIO_MESSAGE_SUPPORTS_INPUT_MONITOR = 10,
    ASIO_MESSAGE_SUPPORTS_INPUT_GAIN = 11,
    ASIO_MESSAGE_SUPPORTS_INPUT_METER = 12,
    ASIO_MESSAGE_SUPPORTS_OUTPUT_GAIN = 13,
    ASIO_MESSAGE_SUPPORTS_OUTPUT_METER = 14,
    ASIO_MESSAGE_OVERLOAD = 15
};

enum asio_time_flag {
    ASIO_TIME_SYSTEM_TIME_VALID = 1,
    ASIO_TIME_SAMPLE_POSITION_VALID = 2,
    ASIO_TIME_SAMPLE_RATE_VALID = 4,
    ASIO_TIME_SPEED_VALID = 8,
    ASIO_TIME_SAMPLE_RATE_CHANGED = 16,
    ASIO_TIME_CLOCK_SOURCE_CHANGED = 32
};

enum asio_io_format_type { ASIO_FORMAT_INVALID = -1, ASIO_FORMAT_PCM = 0, ASIO_FORMAT_DSD = 1 };

/* ---- structures ---- */

#pragma pack(push, 4)

/* A 64-bit number as two halves, the high one first. Sample positions, and time stamps in ns. */
struct asio_int64 {
    uint32_t hi, lo;
};

struct asio_clock_source {
    int32_t index;
    int32_t associated_channel; /* -1: none */
    int32_t associated_group;   /* -1: none */
    int32_t is_current;
    char name[ASIO_NAME_BYTES];
};

struct asio_channel_info {
    int32_t channel; /* in: which; the next too */
    int32_t is_input;
    int32_t is_active; /* out, from here on: it has buffers now */
    int32_t group;
    int32_t type; /* enum asio_sample_type */
    char name[ASIO_NAME_BYTES];
};

struct asio_buffer_info {
    int32_t is_input; /* in: which; the next too */
    int32_t channel;
    void *buffers[2]; /* out: the two halves */
};

struct asio_time_info {
    double speed;
    struct asio_int64 system_time;     /* ns, on the scale of timeGetTime() */
    struct asio_int64 sample_position; /* of the block's first frame */
    double sample_rate;
    uint32_t flags; /* enum asio_time_flag */
    char reserved[12];
};

struct asio_time_code {
    double speed;
    struct asio_int64 samples;
    uint32_t flags;
    char reserved[64];
};

/* What bufferSwitchTimeInfo gets. Nothing beyond its 148 bytes may be touched. */
struct asio_time {
    int32_t reserved[4];
    struct asio_time_info info;
    struct asio_time_code code;
};

/* What a host gives to createBuffers; it may be gone when that returns, so a driver copies it. */
struct asio_callbacks {
    /** Half `half` of every buffer is the host's until the call for the other half returns. direct:
     * work in this call. */
    void(TUTTI_ASIO_HOST *buffer_switch)(int32_t half, int32_t direct);
    void(TUTTI_ASIO_HOST *sample_rate_did_change)(double rate_hz);
    /** Tells or asks; 0: not supported. */
    int32_t(TUTTI_ASIO_HOST *asio_message)(int32_t selector, int32_t value, void *message,
                                           double *option);
    /** May be NULL. In place of buffer_switch when the host says so, see
     * ASIO_MESSAGE_SUPPORTS_TIME_INFO. */
    struct asio_time *(TUTTI_ASIO_HOST *buffer_switch_time_info)(struct asio_time *time,
                                                                 int32_t half, int32_t direct);
};

/* A host's own record of a driver; no method takes it, libraries around the interface do. */
struct asio_driver_info {
    int32_t asio_version;
    int32_t driver_version;
    char name[ASIO_NAME_BYTES];
    char error[ASIO_ERROR_BYTES];
    void *system_reference;
};

struct asio_input_monitor {
    int32_t input; /* -1: all */
    int32_t output;
    int32_t gain; /* 0 .. 0x7fffffff: minus infinity to +12 dB */
    int32_t state;
    int32_t pan; /* 0 .. 0x7fffffff: left to right */
};

struct asio_channel_controls {
    int32_t channel;
    int32_t is_input;
    int32_t gain;
    int32_t meter;
    char reserved[32];
};

struct asio_transport {
    int32_t command;
    struct asio_int64 samples;
    int32_t track;
    int32_t track_switches[16];
    char reserved[64];
};

struct asio_io_format {
    int32_t type; /* enum asio_io_format_type */
    char reserved[508];
};

/* What lies between the host's buffers and the converters, within the latencies. */
struct asio_internal_buffers {
    int32_t input_frames;
    int32_t output_frames;
};

/* An interface or class id, laid out as Windows' GUID. */
struct asio_guid {
    uint32_t data1;
    uint16_t data2, data3;
    uint8_t data4[8];
};

/* ---- the driver ---- */

struct asio_driver_methods;

/* What a host holds. A driver puts it first in its own object. In C:
 * driver->methods->start(driver). */
struct asio_driver {
    const struct asio_driver_methods *methods;
};

/*
 * The 24 slots. Those from get_driver_name on return an enum asio_error unless they say otherwise.
 * A driver in C fills a constant of this type; a host in C calls through it; in C++ an abstract
 * class with these methods in this order and no virtual destructor is the same thing.
 */
struct asio_driver_methods {
    /** 0 (S_OK), or 0x80004002 with *object NULL. */
    int32_t(TUTTI_ASIO_UNKNOWN *query_interface)(struct asio_driver *self,
                                                 const struct asio_guid *iid, void **object);
    uint32_t(TUTTI_ASIO_UNKNOWN *add_ref)(struct asio_driver *self);
    /** The number of references left. The last one stops, disposes and frees. */
    uint32_t(TUTTI_ASIO_UNKNOWN *release)(struct asio_driver *self);

    /** 1 when it worked; otherwise get_error_message says why. system_reference: the host's main
     * window, or NULL. */
    int32_t(TUTTI_ASIO *init)(struct asio_driver *self, void *system_reference);
    /** Fills ASIO_NAME_BYTES. No result. */
    void(TUTTI_ASIO *get_driver_name)(struct asio_driver *self, char *name);
    /** The driver's own version number. */
    int32_t(TUTTI_ASIO *get_driver_version)(struct asio_driver *self);
    /** Fills ASIO_ERROR_BYTES with the last error. No result. */
    void(TUTTI_ASIO *get_error_message)(struct asio_driver *self, char *text);
    int32_t(TUTTI_ASIO *start)(struct asio_driver *self);
    int32_t(TUTTI_ASIO *stop)(struct asio_driver *self);
    int32_t(TUTTI_ASIO *get_channels)(struct asio_driver *self, int32_t *inputs, int32_t *outputs);
    int32_t(TUTTI_ASIO *get_latencies)(struct asio_driver *self, int32_t *input_frames,
                                       int32_t *output_frames);
    /** granularity: -1 powers of two, 0 one size only, else the step from min. */
    int32_t(TUTTI_ASIO *get_buffer_size)(struct asio_driver *self, int32_t *min, int32_t *max,
                                         int32_t *preferred, int32_t *granularity);
    int32_t(TUTTI_ASIO *can_sample_rate)(struct asio_driver *self, double rate_hz);
    int32_t(TUTTI_ASIO *get_sample_rate)(struct asio_driver *self, double *rate_hz);
    int32_t(TUTTI_ASIO *set_sample_rate)(struct asio_driver *self, double rate_hz);
    /** count: room in, number out. */
    int32_t(TUTTI_ASIO *get_clock_sources)(struct asio_driver *self,
                                           struct asio_clock_source *clocks, int32_t *count);
    int32_t(TUTTI_ASIO *set_clock_source)(struct asio_driver *self, int32_t index);
    int32_t(TUTTI_ASIO *get_sample_position)(struct asio_driver *self, struct asio_int64 *position,
                                             struct asio_int64 *time_ns);
    int32_t(TUTTI_ASIO *get_channel_info)(struct asio_driver *self, struct asio_channel_info *info);
    int32_t(TUTTI_ASIO *create_buffers)(struct asio_driver *self, struct asio_buffer_info *infos,
                                        int32_t count, int32_t buffer_frames,
                                        const struct asio_callbacks *callbacks);
    int32_t(TUTTI_ASIO *dispose_buffers)(struct asio_driver *self);
    int32_t(TUTTI_ASIO *control_panel)(struct asio_driver *self);
    /** selector: an enum asio_future or one of the driver's own. ASIO_SUCCESS, or INVALID_PARAMETER
     * when unknown. */
    int32_t(TUTTI_ASIO *future)(struct asio_driver *self, int32_t selector, void *parameter);
    /** The output halves of the running call are complete. OK only when that lowers the latency. */
    int32_t(TUTTI_ASIO *output_ready)(struct asio_driver *self);
};

#pragma pack(pop)

/* ---- every size and offset ---- */

#define TUTTI_ASIO_BITS(in32, in64) (sizeof(void *) == 8 ? (in64) : (in32))
#define TUTTI_ASIO_SIZE(type, in32, in64)                                                          \
    static_assert(sizeof(struct type) == TUTTI_ASIO_BITS(in32, in64), "size of " #type)
#define TUTTI_ASIO_AT(type, field, in32, in64)                                                     \
    static_assert(offsetof(struct type, field) == TUTTI_ASIO_BITS(in32, in64), #type "." #field)
#define TUTTI_ASIO_SLOT(method, slot)                                                              \
    static_assert(offsetof(struct asio_driver_methods, method) == (slot) * sizeof(void *), #method)

TUTTI_ASIO_SIZE(asio_int64, 8, 8);
TUTTI_ASIO_AT(asio_int64, hi, 0, 0);
TUTTI_ASIO_AT(asio_int64, lo, 4, 4);

TUTTI_ASIO_SIZE(asio_clock_source, 48, 48);
TUTTI_ASIO_AT(asio_clock_source, index, 0, 0);
TUTTI_ASIO_AT(asio_clock_source, associated_channel, 4, 4);
TUTTI_ASIO_AT(asio_clock_source, associated_group, 8, 8);
TUTTI_ASIO_AT(asio_clock_source, is_current, 12, 12);
TUTTI_ASIO_AT(asio_clock_source, name, 16, 16);

TUTTI_ASIO_SIZE(asio_channel_info, 52, 52);
TUTTI_ASIO_AT(asio_channel_info, channel, 0, 0);
TUTTI_ASIO_AT(asio_channel_info, is_input, 4, 4);
TUTTI_ASIO_AT(asio_channel_info, is_active, 8, 8);
TUTTI_ASIO_AT(asio_channel_info, group, 12, 12);
TUTTI_ASIO_AT(asio_channel_info, type, 16, 16);
TUTTI_ASIO_AT(asio_channel_info, name, 20, 20);

TUTTI_ASIO_SIZE(asio_buffer_info, 16, 24);
TUTTI_ASIO_AT(asio_buffer_info, is_input, 0, 0);
TUTTI_ASIO_AT(asio_buffer_info, channel, 4, 4);
TUTTI_ASIO_AT(asio_buffer_info, buffers, 8, 8);

TUTTI_ASIO_SIZE(asio_time_info, 48, 48);
TUTTI_ASIO_AT(asio_time_info, speed, 0, 0);
TUTTI_ASIO_AT(asio_time_info, system_time, 8, 8);
TUTTI_ASIO_AT(asio_time_info, sample_position, 16, 16);
TUTTI_ASIO_AT(asio_time_info, sample_rate, 24, 24);
TUTTI_ASIO_AT(asio_time_info, flags, 32, 32);
TUTTI_ASIO_AT(asio_time_info, reserved, 36, 36);

TUTTI_ASIO_SIZE(asio_time_code, 84, 84);
TUTTI_ASIO_AT(asio_time_code, speed, 0, 0);
TUTTI_ASIO_AT(asio_time_code, samples, 8, 8);
TUTTI_ASIO_AT(asio_time_code, flags, 16, 16);
TUTTI_ASIO_AT(asio_time_code, reserved, 20, 20);

TUTTI_ASIO_SIZE(asio_time, 148, 148);
TUTTI_ASIO_AT(asio_time, reserved, 0, 0);
TUTTI_ASIO_AT(asio_time, info, 16, 16);
TUTTI_ASIO_AT(asio_time, code, 64, 64);

TUTTI_ASIO_SIZE(asio_callbacks, 16, 32);
TUTTI_ASIO_AT(asio_callbacks, buffer_switch, 0, 0);
TUTTI_ASIO_AT(asio_callbacks, sample_rate_did_change, 4, 8);
TUTTI_ASIO_AT(asio_callbacks, asio_message, 8, 16);
TUTTI_ASIO_AT(asio_callbacks, buffer_switch_time_info, 12, 24);

TUTTI_ASIO_SIZE(asio_driver_info, 168, 172);
TUTTI_ASIO_AT(asio_driver_info, asio_version, 0, 0);
TUTTI_ASIO_AT(asio_driver_info, driver_version, 4, 4);
TUTTI_ASIO_AT(asio_driver_info, name, 8, 8);
TUTTI_ASIO_AT(asio_driver_info, error, 40, 40);
TUTTI_ASIO_AT(asio_driver_info, system_reference, 164, 164);

TUTTI_ASIO_SIZE(asio_input_monitor, 20, 20);
TUTTI_ASIO_AT(asio_input_monitor, input, 0, 0);
TUTTI_ASIO_AT(asio_input_monitor, output, 4, 4);
TUTTI_ASIO_AT(asio_input_monitor, gain, 8, 8);
TUTTI_ASIO_AT(asio_input_monitor, state, 12, 12);
TUTTI_ASIO_AT(asio_input_monitor, pan, 16, 16);

TUTTI_ASIO_SIZE(asio_channel_controls, 48, 48);
TUTTI_ASIO_AT(asio_channel_controls, channel, 0, 0);
TUTTI_ASIO_AT(asio_channel_controls, is_input, 4, 4);
TUTTI_ASIO_AT(asio_channel_controls, gain, 8, 8);
TUTTI_ASIO_AT(asio_channel_controls, meter, 12, 12);
TUTTI_ASIO_AT(asio_channel_controls, reserved, 16, 16);

TUTTI_ASIO_SIZE(asio_transport, 144, 144);
TUTTI_ASIO_AT(asio_transport, command, 0, 0);
TUTTI_ASIO_AT(asio_transport, samples, 4, 4);
TUTTI_ASIO_AT(asio_transport, track, 12, 12);
TUTTI_ASIO_AT(asio_transport, track_switches, 16, 16);
TUTTI_ASIO_AT(asio_transport, reserved, 80, 80);

TUTTI_ASIO_SIZE(asio_io_format, 512, 512);
TUTTI_ASIO_AT(asio_io_format, type, 0, 0);
TUTTI_ASIO_AT(asio_io_format, reserved, 4, 4);

TUTTI_ASIO_SIZE(asio_internal_buffers, 8, 8);
TUTTI_ASIO_AT(asio_internal_buffers, input_frames, 0, 0);
TUTTI_ASIO_AT(asio_internal_buffers, output_frames, 4, 4);

TUTTI_ASIO_SIZE(asio_guid, 16, 16);
TUTTI_ASIO_AT(asio_guid, data1, 0, 0);
TUTTI_ASIO_AT(asio_guid, data2, 4, 4);
TUTTI_ASIO_AT(asio_guid, data3, 6, 6);
TUTTI_ASIO_AT(asio_guid, data4, 8, 8);

TUTTI_ASIO_SIZE(asio_driver, 4, 8);
TUTTI_ASIO_SIZE(asio_driver_methods, 24 * 4, 24 * 8);
TUTTI_ASIO_SLOT(query_interface, 0);
TUTTI_ASIO_SLOT(add_ref, 1);
TUTTI_ASIO_SLOT(release, 2);
TUTTI_ASIO_SLOT(init, 3);
TUTTI_ASIO_SLOT(get_driver_name, 4);
TUTTI_ASIO_SLOT(get_driver_version, 5);
TUTTI_ASIO_SLOT(get_error_message, 6);
TUTTI_ASIO_SLOT(start, 7);
TUTTI_ASIO_SLOT(stop, 8);
TUTTI_ASIO_SLOT(get_channels, 9);
TUTTI_ASIO_SLOT(get_latencies, 10);
TUTTI_ASIO_SLOT(get_buffer_size, 11);
TUTTI_ASIO_SLOT(can_sample_rate, 12);
TUTTI_ASIO_SLOT(get_sample_rate, 13);
TUTTI_ASIO_SLOT(set_sample_rate, 14);
TUTTI_ASIO_SLOT(get_clock_sources, 15);
TUTTI_ASIO_SLOT(set_clock_source, 16);
TUTTI_ASIO_SLOT(get_sample_position, 17);
TUTTI_ASIO_SLOT(get_channel_info, 18);
TUTTI_ASIO_SLOT(create_buffers, 19);
TUTTI_ASIO_SLOT(dispose_buffers, 20);
TUTTI_ASIO_SLOT(control_panel, 21);
TUTTI_ASIO_SLOT(future, 22);
TUTTI_ASIO_SLOT(output_ready, 23);

static_assert(sizeof(double) == 8, "sample rates are IEEE doubles");

#undef TUTTI_ASIO_BITS
#undef TUTTI_ASIO_SIZE
#undef TUTTI_ASIO_AT
#undef TUTTI_ASIO_SLOT

/* ---- 64-bit numbers in halves ---- */

static inline struct asio_int64
asio_int64_from(uint64_t value)
{
    struct asio_int64 halves;
    halves.hi = (uint32_t)(value >> 32);
    halves.lo = (uint32_t)value;
    return halves;
}

static inline uint64_t
asio_int64_value(struct asio_int64 halves)
{
    return (uint64_t)halves.hi << 32 | halves.lo;
}

#ifdef __cplusplus
}
#endif

#if defined(__i386__) && defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
#endif
