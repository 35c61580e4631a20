/* SPDX-License-Identifier: MIT */
/* The parts of the driver. What they share, one object, is in object.h. */
#ifndef TUTTI_ASIO_DRIVER_H
#define TUTTI_ASIO_DRIVER_H

#include "asio/object.h"

/* ---- driver.c: life ---- */

/** A new object with one reference, Loaded. name: copied. NULL when memory is short. */
struct asio_driver *driver_new(const struct dll_name *name);
/** Frees an object that has no client and no thread. */
void driver_free(struct driver *driver);
/** The last reference went. */
void driver_end(struct driver *driver);

int32_t driver_init(struct driver *driver);

/* ---- device.c: what hosts ask of the device ---- */

int32_t device_get_channels(struct driver *driver, int32_t *inputs, int32_t *outputs);
/** As getChannels answered last, without asking the engine. Any thread, the callback thread with
 * buffers included. */
void device_known_channels(struct driver *driver, int32_t *inputs, int32_t *outputs);
int32_t device_get_latencies(struct driver *driver, int32_t *input_frames, int32_t *output_frames);
int32_t device_get_buffer_size(struct driver *driver, int32_t *min, int32_t *max,
                               int32_t *preferred, int32_t *granularity);
/** True when hosts may ask for buffers of this size. */
bool device_offers(struct driver *driver, int32_t buffer_frames);
/** ASIO_OK, or the refusal of a size that is not offered. */
int32_t device_check_buffer_size(struct driver *driver, int32_t buffer_frames);
int32_t device_can_rate(struct driver *driver, double rate_hz);
int32_t device_get_rate(struct driver *driver, double *rate_hz);
int32_t device_set_rate(struct driver *driver, double rate_hz);
/** Asks for the rate that was set within a callback. Message thread. */
void device_apply_wanted_rate(struct driver *driver);
/** Asks for the rate that a host of this process asked for last, in this object or another. Owner
 * only. */
void device_recall_rate(struct driver *driver);
/** That rate is another now, by another program or the system. Any thread. */
void device_remember_rate(struct driver *driver, double rate_hz);
int32_t device_get_clocks(struct driver *driver, struct asio_clock_source *clocks, int32_t *count);
int32_t device_set_clock(struct driver *driver, int32_t index);
int32_t device_get_channel_info(struct driver *driver, struct asio_channel_info *info);
/** The device's channels that hosts see, in order; how many. */
unsigned device_map_channels(struct driver *driver, bool is_input, uint16_t list[CONFIG_CHANNELS]);

/* ---- stream.c: buffers and callbacks ---- */

/** theirs: the host's, which is in force while it is asked what it knows. */
int32_t stream_create(struct driver *driver, struct asio_buffer_info *infos, int32_t count,
                      int32_t buffer_frames, const struct asio_callbacks *callbacks,
                      struct float_env *theirs);
int32_t stream_dispose(struct driver *driver);
int32_t stream_start(struct driver *driver);
int32_t stream_stop(struct driver *driver);
int32_t stream_get_position(struct driver *driver, struct asio_int64 *position,
                            struct asio_int64 *time_ns);
int32_t stream_output_ready(struct driver *driver);
/** Stops and frees what is there, as far as this thread may. Owner only. */
void stream_tear_down(struct driver *driver);

/** Frees the buffers of a stream that has ended, as seen by the host; not on the callback thread.
 * Owner only. */
void stream_free(struct driver *driver);

/* ---- dsd.c ---- */

/** The host's samples per frame of the device: 16 with DSD, else 1. */
uint32_t dsd_unit(const struct driver *driver);
/** Of the next buffers. */
int32_t dsd_sample_type(const struct driver *driver);
/** The device's rate for a rate of the host's; 0: there is none. */
double dsd_device_rate(const struct driver *driver, double rate_hz);
/** future's three selectors. */
int32_t dsd_io_format(struct driver *driver, int32_t selector, struct asio_io_format *format);

/* ---- block.c: the last block, and time as hosts see it ---- */

void block_clear(struct driver_block *block);
void block_put(struct driver_block *block, const struct tutti_block *from);
/** False when there was none since start. Fills all but size. */
bool block_get(const struct driver_block *block, struct tutti_asio_block *to);
/** What is reported to a host with a block. Callback thread. */
void block_fill_time(struct driver *driver, const struct tutti_block *block,
                     struct asio_time *time);
/** From tutti_now_ns() to timeGetTime() in ns, measured now; takes up to two milliseconds. */
uint64_t block_time_offset_ns(void);

/* ---- future.c ---- */

int32_t future_ask(struct driver *driver, int32_t selector, void *parameter);

/* ---- monitor.c: input monitor, gains, meters ---- */

void monitor_init(struct driver_monitor *monitor);
int32_t monitor_set_input(struct driver *driver, const struct asio_input_monitor *wanted);
int32_t monitor_set_gain(struct driver *driver, bool is_input,
                         const struct asio_channel_controls *controls);
int32_t monitor_get_meter(struct driver *driver, bool is_input,
                          struct asio_channel_controls *controls);
/** Tells the engine; waits for its answer. Any thread but the callback thread. */
void monitor_tell(struct driver *driver);

/* ---- messages.c: the message thread ---- */

/** Starts it. Errors: ASIO_NO_MEMORY. */
int32_t messages_open(struct driver *driver);
/** libtutti's event function. */
void messages_event(void *user, const struct tutti_event *event);
/** Waits, for a moment at most, until no message to the host is under way about buffers that are
 * gone. Not the owner. */
void messages_settle(struct driver *driver);

/* ---- host_log.c: lines for the log; not on the callback thread ---- */

/** A call of the host that changes something has succeeded. Owner only. */
void host_log_call(struct driver *driver, enum call call);
/** libtutti reported this. */
void host_log_event(struct driver *driver, const struct tutti_event *event);
/** They are others now. */
void host_log_latencies(struct driver *driver);
/** The host was notified of this and answered, or was not notified, since it does not know the
 * message. Message thread. */
void host_log_answer(struct driver *driver, int32_t selector, int32_t value, bool known,
                     int32_t answer);
/** The same of a rate. */
void host_log_rate(struct driver *driver, double rate_hz, bool known);

/* ---- gate.c ---- */

extern const struct asio_driver_methods gate_methods;

#endif
