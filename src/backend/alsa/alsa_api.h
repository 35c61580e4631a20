/* SPDX-License-Identifier: MIT */
/*
 * The functions of libasound that Tutti uses, filled in when the library is found at run time.
 * Nothing links against it; its header says what the functions are.
 *
 * Results are 0 or a count, below 0 an errno negated.
 */
#ifndef TUTTI_BACKEND_ALSA_API_H
#define TUTTI_BACKEND_ALSA_API_H

#include <alsa/asoundlib.h>

/* X(name without snd_): each as the header declares it. */
#define ALSA_FUNCTIONS(X)                                                                          \
    X(lib_error_set_handler)                                                                       \
    X(strerror)                                                                                    \
    X(card_next)                                                                                   \
    X(ctl_open)                                                                                    \
    X(ctl_close)                                                                                   \
    X(ctl_card_info)                                                                               \
    X(ctl_card_info_malloc)                                                                        \
    X(ctl_card_info_free)                                                                          \
    X(ctl_card_info_get_id)                                                                        \
    X(ctl_pcm_next_device)                                                                         \
    X(ctl_pcm_info)                                                                                \
    X(pcm_info_malloc)                                                                             \
    X(pcm_info_free)                                                                               \
    X(pcm_info_set_device)                                                                         \
    X(pcm_info_set_subdevice)                                                                      \
    X(pcm_info_set_stream)                                                                         \
    X(pcm_open)                                                                                    \
    X(pcm_close)                                                                                   \
    X(pcm_type)                                                                                    \
    X(pcm_state)                                                                                   \
    X(pcm_link)                                                                                    \
    X(pcm_prepare)                                                                                 \
    X(pcm_start)                                                                                   \
    X(pcm_drop)                                                                                    \
    X(pcm_avail_update)                                                                            \
    X(pcm_htimestamp)                                                                              \
    X(pcm_mmap_begin)                                                                              \
    X(pcm_mmap_commit)                                                                             \
    X(pcm_readi)                                                                                   \
    X(pcm_writei)                                                                                  \
    X(pcm_readn)                                                                                   \
    X(pcm_writen)                                                                                  \
    X(pcm_poll_descriptors_count)                                                                  \
    X(pcm_poll_descriptors)                                                                        \
    X(pcm_poll_descriptors_revents)                                                                \
    X(pcm_hw_params_malloc)                                                                        \
    X(pcm_hw_params_free)                                                                          \
    X(pcm_hw_params_copy)                                                                          \
    X(pcm_hw_params_any)                                                                           \
    X(pcm_hw_params)                                                                               \
    X(pcm_hw_free)                                                                                 \
    X(pcm_hw_params_set_access)                                                                    \
    X(pcm_hw_params_set_format)                                                                    \
    X(pcm_hw_params_get_channels_min)                                                              \
    X(pcm_hw_params_get_channels_max)                                                              \
    X(pcm_hw_params_set_channels_near)                                                             \
    X(pcm_hw_params_test_rate)                                                                     \
    X(pcm_hw_params_set_rate_near)                                                                 \
    X(pcm_hw_params_get_period_size_min)                                                           \
    X(pcm_hw_params_get_period_size_max)                                                           \
    X(pcm_hw_params_test_period_size)                                                              \
    X(pcm_hw_params_set_period_size_near)                                                          \
    X(pcm_hw_params_set_buffer_size_near)                                                          \
    X(pcm_sw_params_malloc)                                                                        \
    X(pcm_sw_params_free)                                                                          \
    X(pcm_sw_params_current)                                                                       \
    X(pcm_sw_params)                                                                               \
    X(pcm_sw_params_set_avail_min)                                                                 \
    X(pcm_sw_params_set_start_threshold)                                                           \
    X(pcm_sw_params_set_tstamp_mode)                                                               \
    X(pcm_sw_params_set_tstamp_type)

struct alsa_api {
/* NOLINTNEXTLINE(bugprone-macro-parentheses): a name */
#define ALSA_MEMBER(name) __typeof__(snd_##name) *name;
    ALSA_FUNCTIONS(ALSA_MEMBER)
#undef ALSA_MEMBER
};

/** libasound's functions, loaded by the first call and kept till the process ends. NULL: there is
 * no libasound here; the log says why, once. One thread at a time. */
const struct alsa_api *alsa_api_load(void);

#endif
