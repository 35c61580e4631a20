/* SPDX-License-Identifier: MIT */
/*
 * What the engine reports of its device and of each client, one row a field. From these rows come
 * the structs of message.h and their checks, the copies into the public structs, the JSON of
 * `tutti status` and the tables in docs/protocol.md. tests/test_fields.c holds the public header
 * against them. The order is that of the bytes: append only.
 *
 * X(type, name, limit, key in JSON, unit, meaning, source)
 *
 * Types, and what their limit is:
 *   TEXT   utf-8                        bytes, with the terminator
 *   STATE  an enum; publicly its name   how many values it has
 *   U32    a number                     the largest
 *   U64    a number                     the largest
 *   RATE   a sample rate                -
 *   RATES  sample rates, 0-terminated   how many at most
 *   PEAKS  one a channel                the field that counts the channels
 */
#ifndef TUTTI_PROTO_FIELDS_H
#define TUTTI_PROTO_FIELDS_H

/* source: LISTED (a backend knows it without opening the device), OPENED (only once it is open) or
 * ENGINE. */
#define DEVICE_FIELDS(X)                                                                           \
    X(TEXT, name, PROTO_NAME_BYTES, name, "", "as listed", LISTED)                                 \
    X(TEXT, backend, 16, backend, "", "the way to it", ENGINE)                                     \
    X(TEXT, format, 32, format, "", "as negotiated, for people", OPENED)                           \
    X(STATE, state, PROTO_STREAM_STATE_COUNT, state, "", "closed, opening, running or lost",       \
      ENGINE)                                                                                      \
    X(U32, inputs, PROTO_MAX_CHANNELS, inputs, "channels", "", LISTED)                             \
    X(U32, outputs, PROTO_MAX_CHANNELS, outputs, "channels", "", LISTED)                           \
    X(U32, period_frames, PROTO_MAX_BUFFER_FRAMES, period_frames, "frames",                        \
      "a cycle; while closed, the expected one", OPENED)                                           \
    X(U32, period_min_frames, PROTO_MAX_BUFFER_FRAMES, period_min_frames, "frames",                \
      "the smallest period", LISTED)                                                               \
    X(U32, period_max_frames, PROTO_MAX_BUFFER_FRAMES, period_max_frames, "frames",                \
      "the largest period", LISTED)                                                                \
    X(U32, period_step_frames, PROTO_MAX_BUFFER_FRAMES, period_step_frames, "frames",              \
      "between two periods; 0: powers of two", LISTED)                                             \
    X(U32, input_latency_frames, PROTO_MAX_LATENCY_FRAMES, input_latency_frames, "frames",         \
      "without a client's buffer", OPENED)                                                         \
    X(U32, output_latency_frames, PROTO_MAX_LATENCY_FRAMES, output_latency_frames, "frames",       \
      "without a client's buffer", OPENED)                                                         \
    X(RATE, rate_hz, 0, rate_hz, "Hz", "the sample rate", OPENED)                                  \
    X(RATES, rates_hz, 16, rates_hz, "Hz", "that it accepts", LISTED)

#define CLIENT_STATUS_FIELDS(X)                                                                    \
    X(TEXT, name, PROTO_NAME_BYTES, name, "", "of the program", ENGINE)                            \
    X(TEXT, profile, PROTO_PROFILE_BYTES, profile, "", "of the configuration", ENGINE)             \
    X(U32, program_id, UINT32_MAX, id, "", "never 0", ENGINE)                                      \
    X(U32, pid, UINT32_MAX, pid, "", "of its process", ENGINE)                                     \
    X(U32, bits, 64, bits, "", "32 or 64", ENGINE)                                                 \
    X(STATE, state, PROTO_PROGRAM_STATE_COUNT, state, "",                                          \
      "connected, prepared, running, late or gone", ENGINE)                                        \
    X(U32, buffer_frames, PROTO_MAX_BUFFER_FRAMES, buffer_frames, "frames", "a block", ENGINE)     \
    X(U32, inputs, PROTO_MAX_CHANNELS, inputs, "channels", "", ENGINE)                             \
    X(U32, outputs, PROTO_MAX_CHANNELS, outputs, "channels", "", ENGINE)                           \
    X(U32, input_latency_frames, PROTO_MAX_LATENCY_FRAMES, input_latency_frames, "frames",         \
      "as reported to it", ENGINE)                                                                 \
    X(U32, output_latency_frames, PROTO_MAX_LATENCY_FRAMES, output_latency_frames, "frames",       \
      "as reported to it", ENGINE)                                                                 \
    X(U32, lateness_p50_us, UINT32_MAX, lateness_p50_us, "us", "from call to done, median",        \
      ENGINE)                                                                                      \
    X(U32, lateness_p99_us, UINT32_MAX, lateness_p99_us, "us", "99 of 100 are below", ENGINE)      \
    X(U32, lateness_max_us, UINT32_MAX, lateness_max_us, "us", "the longest", ENGINE)              \
    X(U64, calls, UINT64_MAX, calls, "blocks", "", ENGINE)                                         \
    X(U64, late_program, UINT64_MAX, late_program, "blocks", "late because of it", ENGINE)         \
    X(U64, late_device, UINT64_MAX, late_device, "blocks", "late because of the device", ENGINE)   \
    X(U64, late_machine, UINT64_MAX, late_machine, "blocks", "late because of the machine",        \
      ENGINE)                                                                                      \
    X(U64, missed_frames, UINT64_MAX, missed_frames, "frames", "lost by late blocks", ENGINE)      \
    X(U64, gap_frames, UINT64_MAX, gap_frames, "frames", "lost while the device reopened", ENGINE) \
    X(PEAKS, input_peak, inputs, input_peak, "full scale", "since last asked", ENGINE)             \
    X(PEAKS, output_peak, outputs, output_peak, "full scale", "since last asked", ENGINE)

/* Later than the first ones: on the link they are arrays of the whole reply, one value a client. */
#define CLIENT_STATUS_LATER_FIELDS(X)                                                              \
    X(U32, monitor_paths, UINT32_MAX, monitor_paths, "paths", "of its direct monitor", ENGINE)     \
    X(U64, clipped_samples, UINT64_MAX, clipped_samples, "samples", "of its input", ENGINE)        \
    X(U32, device_index, PROTO_STATUS_DEVICES, device_index, "", "of the open devices", ENGINE)

/* A row as a member of a struct of the link. */
#define FIELD_MEMBER(type, name, limit, ...) FIELD_MEMBER_##type(name, limit)
#define FIELD_MEMBER_TEXT(name, bytes) char name[bytes];
#define FIELD_MEMBER_STATE(name, count) uint32_t name;
#define FIELD_MEMBER_U32(name, largest) uint32_t name;
#define FIELD_MEMBER_U64(name, largest) uint64_t name;
#define FIELD_MEMBER_RATE(name, none) double name;
#define FIELD_MEMBER_RATES(name, count) double name[count];
#define FIELD_MEMBER_PEAKS(name, channels) float name[PROTO_STATUS_METERS];

/* One field's value into another of the same type; for all types but STATE. */
#define FIELD_COPY_TEXT(to, from) utf8_copy(to, sizeof(to), from);
#define FIELD_COPY_U32(to, from) to = from;
#define FIELD_COPY_U64(to, from) to = from;
#define FIELD_COPY_RATE(to, from) to = from;
#define FIELD_COPY_RATES(to, from) FIELD_COPY_ARRAY(to, from)
#define FIELD_COPY_PEAKS(to, from) FIELD_COPY_ARRAY(to, from)
#define FIELD_COPY_ARRAY(to, from)                                                                 \
    static_assert(sizeof(to) == sizeof(from), "as many on both sides");                            \
    memcpy(to, from, sizeof(to));

#endif
