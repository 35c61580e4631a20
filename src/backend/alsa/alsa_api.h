/* SPDX-License-Identifier: MIT */
/*
 * The part of ALSA's C interface that Tutti uses, written from its documented ABI, and the table of
 * its functions, filled from libasound when that is found at run time. Nothing links against it.
 *
 * Results are 0 or a count, below 0 an errno negated.
 */
#ifndef TUTTI_BACKEND_ALSA_API_H
#define TUTTI_BACKEND_ALSA_API_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* ALSA's own */
struct alsa_pcm;
struct alsa_ctl;
struct alsa_card_info;
struct alsa_pcm_info;
struct alsa_hw_params;
struct alsa_sw_params;

/* One channel's memory: bits. */
struct alsa_channel_area {
    void *addr;
    unsigned first_bits, step_bits;
};

enum alsa_direction { ALSA_PLAYBACK = 0, ALSA_CAPTURE = 1 };

enum { ALSA_OPEN_NONBLOCK = 1 };

enum alsa_access {
    ALSA_MMAP_INTERLEAVED = 0,
    ALSA_MMAP_NONINTERLEAVED = 1,
    ALSA_RW_INTERLEAVED = 3,
    ALSA_RW_NONINTERLEAVED = 4,
};

enum alsa_format {
    ALSA_FORMAT_S16_LE = 2,
    ALSA_FORMAT_S24_LE = 6, /* in the low three of four bytes */
    ALSA_FORMAT_S32_LE = 10,
    ALSA_FORMAT_FLOAT_LE = 14,
    ALSA_FORMAT_S24_3LE = 32,
};

enum alsa_type { ALSA_TYPE_HW = 0 };

enum alsa_state {
    ALSA_STATE_PREPARED = 2,
    ALSA_STATE_RUNNING = 3,
    ALSA_STATE_XRUN = 4,
    ALSA_STATE_SUSPENDED = 7,
    ALSA_STATE_DISCONNECTED = 8,
};

enum { ALSA_TSTAMP_ENABLE = 1, ALSA_TSTAMP_MONOTONIC = 1 };

typedef void (*alsa_error_fn)(const char *file, int line, const char *function, int error,
                              const char *format, ...);

/* X(result, name without snd_, parameters). Frames are counted in longs. */
#define ALSA_FUNCTIONS(X)                                                                          \
    X(int, lib_error_set_handler, (alsa_error_fn handler))                                         \
    X(const char *, strerror, (int error))                                                         \
    X(int, card_next, (int *card))                                                                 \
    X(int, ctl_open, (struct alsa_ctl * *ctl, const char *name, int mode))                         \
    X(int, ctl_close, (struct alsa_ctl * ctl))                                                     \
    X(int, ctl_card_info, (struct alsa_ctl * ctl, struct alsa_card_info * info))                   \
    X(int, ctl_card_info_malloc, (struct alsa_card_info * *info))                                  \
    X(void, ctl_card_info_free, (struct alsa_card_info * info))                                    \
    X(const char *, ctl_card_info_get_id, (const struct alsa_card_info *info))                     \
    X(int, ctl_pcm_next_device, (struct alsa_ctl * ctl, int *device))                              \
    X(int, ctl_pcm_info, (struct alsa_ctl * ctl, struct alsa_pcm_info * info))                     \
    X(int, pcm_info_malloc, (struct alsa_pcm_info * *info))                                        \
    X(void, pcm_info_free, (struct alsa_pcm_info * info))                                          \
    X(void, pcm_info_set_device, (struct alsa_pcm_info * info, unsigned device))                   \
    X(void, pcm_info_set_subdevice, (struct alsa_pcm_info * info, unsigned subdevice))             \
    X(void, pcm_info_set_stream, (struct alsa_pcm_info * info, int direction))                     \
    X(int, pcm_open, (struct alsa_pcm * *pcm, const char *name, int direction, int mode))          \
    X(int, pcm_close, (struct alsa_pcm * pcm))                                                     \
    X(int, pcm_type, (struct alsa_pcm * pcm))                                                      \
    X(int, pcm_state, (struct alsa_pcm * pcm))                                                     \
    X(int, pcm_link, (struct alsa_pcm * first, struct alsa_pcm * second))                          \
    X(int, pcm_prepare, (struct alsa_pcm * pcm))                                                   \
    X(int, pcm_start, (struct alsa_pcm * pcm))                                                     \
    X(int, pcm_drop, (struct alsa_pcm * pcm))                                                      \
    X(long, pcm_avail_update, (struct alsa_pcm * pcm))                                             \
    X(int, pcm_htimestamp, (struct alsa_pcm * pcm, unsigned long *avail, struct timespec *at))     \
    X(int, pcm_mmap_begin,                                                                         \
      (struct alsa_pcm * pcm, const struct alsa_channel_area **areas, unsigned long *offset,       \
       unsigned long *frames))                                                                     \
    X(long, pcm_mmap_commit, (struct alsa_pcm * pcm, unsigned long offset, unsigned long frames))  \
    X(long, pcm_readi, (struct alsa_pcm * pcm, void *to, unsigned long frames))                    \
    X(long, pcm_writei, (struct alsa_pcm * pcm, const void *from, unsigned long frames))           \
    X(long, pcm_readn, (struct alsa_pcm * pcm, void **to, unsigned long frames))                   \
    X(long, pcm_writen, (struct alsa_pcm * pcm, void **from, unsigned long frames))                \
    X(int, pcm_poll_descriptors_count, (struct alsa_pcm * pcm))                                    \
    X(int, pcm_poll_descriptors, (struct alsa_pcm * pcm, struct pollfd * fds, unsigned room))      \
    X(int, pcm_poll_descriptors_revents,                                                           \
      (struct alsa_pcm * pcm, struct pollfd * fds, unsigned count, unsigned short *revents))       \
    X(int, pcm_hw_params_malloc, (struct alsa_hw_params * *params))                                \
    X(void, pcm_hw_params_free, (struct alsa_hw_params * params))                                  \
    X(void, pcm_hw_params_copy, (struct alsa_hw_params * to, const struct alsa_hw_params *from))   \
    X(int, pcm_hw_params_any, (struct alsa_pcm * pcm, struct alsa_hw_params * params))             \
    X(int, pcm_hw_params, (struct alsa_pcm * pcm, struct alsa_hw_params * params))                 \
    X(int, pcm_hw_free, (struct alsa_pcm * pcm))                                                   \
    X(int, pcm_hw_params_set_access,                                                               \
      (struct alsa_pcm * pcm, struct alsa_hw_params * params, int access))                         \
    X(int, pcm_hw_params_set_format,                                                               \
      (struct alsa_pcm * pcm, struct alsa_hw_params * params, int format))                         \
    X(int, pcm_hw_params_get_channels_min,                                                         \
      (const struct alsa_hw_params *params, unsigned *channels))                                   \
    X(int, pcm_hw_params_get_channels_max,                                                         \
      (const struct alsa_hw_params *params, unsigned *channels))                                   \
    X(int, pcm_hw_params_set_channels_near,                                                        \
      (struct alsa_pcm * pcm, struct alsa_hw_params * params, unsigned *channels))                 \
    X(int, pcm_hw_params_test_rate,                                                                \
      (struct alsa_pcm * pcm, struct alsa_hw_params * params, unsigned rate_hz, int side))         \
    X(int, pcm_hw_params_set_rate_near,                                                            \
      (struct alsa_pcm * pcm, struct alsa_hw_params * params, unsigned *rate_hz, int *side))       \
    X(int, pcm_hw_params_get_period_size_min,                                                      \
      (const struct alsa_hw_params *params, unsigned long *frames, int *side))                     \
    X(int, pcm_hw_params_get_period_size_max,                                                      \
      (const struct alsa_hw_params *params, unsigned long *frames, int *side))                     \
    X(int, pcm_hw_params_test_period_size,                                                         \
      (struct alsa_pcm * pcm, struct alsa_hw_params * params, unsigned long frames, int side))     \
    X(int, pcm_hw_params_set_period_size_near,                                                     \
      (struct alsa_pcm * pcm, struct alsa_hw_params * params, unsigned long *frames, int *side))   \
    X(int, pcm_hw_params_set_buffer_size_near,                                                     \
      (struct alsa_pcm * pcm, struct alsa_hw_params * params, unsigned long *frames))              \
    X(int, pcm_sw_params_malloc, (struct alsa_sw_params * *params))                                \
    X(void, pcm_sw_params_free, (struct alsa_sw_params * params))                                  \
    X(int, pcm_sw_params_current, (struct alsa_pcm * pcm, struct alsa_sw_params * params))         \
    X(int, pcm_sw_params, (struct alsa_pcm * pcm, struct alsa_sw_params * params))                 \
    X(int, pcm_sw_params_set_avail_min,                                                            \
      (struct alsa_pcm * pcm, struct alsa_sw_params * params, unsigned long frames))               \
    X(int, pcm_sw_params_set_start_threshold,                                                      \
      (struct alsa_pcm * pcm, struct alsa_sw_params * params, unsigned long frames))               \
    X(int, pcm_sw_params_set_tstamp_mode,                                                          \
      (struct alsa_pcm * pcm, struct alsa_sw_params * params, int mode))                           \
    X(int, pcm_sw_params_set_tstamp_type,                                                          \
      (struct alsa_pcm * pcm, struct alsa_sw_params * params, int type))

struct alsa_api {
/* NOLINTNEXTLINE(bugprone-macro-parentheses): a name and a list of parameters */
#define ALSA_MEMBER(result, name, parameters) result(*name) parameters;
    ALSA_FUNCTIONS(ALSA_MEMBER)
#undef ALSA_MEMBER
};

/** libasound's functions, loaded by the first call and kept till the process ends. NULL: there is
 * no libasound here; the log says why, once. One thread at a time. */
const struct alsa_api *alsa_api_load(void);

#endif
