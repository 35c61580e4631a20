/* SPDX-License-Identifier: MIT */
/* The scripts of real hosts: hosts_libraries.c, hosts_programs.c. cases_hosts.c makes cases of
 * them. */
#ifndef TUTTI_CONFORM_HOSTS_H
#define TUTTI_CONFORM_HOSTS_H

#include "conform/script.h"

/* What hosts say that they know, and answers that they can live with. */
enum {
    OF_SAMPLE_HOST = 1 << ASIO_MESSAGE_RESET_REQUEST | 1 << ASIO_MESSAGE_ENGINE_VERSION |
                     1 << ASIO_MESSAGE_RESYNC_REQUEST | 1 << ASIO_MESSAGE_LATENCIES_CHANGED |
                     1 << ASIO_MESSAGE_SUPPORTS_TIME_INFO | 1 << ASIO_MESSAGE_SUPPORTS_TIME_CODE |
                     1 << ASIO_MESSAGE_SUPPORTS_INPUT_MONITOR,
    OF_JUCE = 1 << ASIO_MESSAGE_RESET_REQUEST | 1 << ASIO_MESSAGE_ENGINE_VERSION |
              1 << ASIO_MESSAGE_RESYNC_REQUEST | 1 << ASIO_MESSAGE_LATENCIES_CHANGED |
              1 << ASIO_MESSAGE_SUPPORTS_INPUT_MONITOR | 1 << ASIO_MESSAGE_OVERLOAD,
    OF_NAUDIO = 1 << ASIO_MESSAGE_RESET_REQUEST | 1 << ASIO_MESSAGE_ENGINE_VERSION |
                1 << ASIO_MESSAGE_BUFFER_SIZE_CHANGE | 1 << ASIO_MESSAGE_RESYNC_REQUEST |
                1 << ASIO_MESSAGE_LATENCIES_CHANGED | 1 << ASIO_MESSAGE_SUPPORTS_TIME_INFO |
                1 << ASIO_MESSAGE_SUPPORTS_TIME_CODE,
    IS_REFUSED = ANSWER_ANY & ~(ANSWER_OK | ANSWER_SUCCESS),
    MAY_RATE = ANSWER_OK | ANSWER_NO_CLOCK,
    MAY_READY = ANSWER_OK | ANSWER_NOT_PRESENT,
};

#define SCRIPT(list, ...)                                                                          \
    {                                                                                              \
        .steps = (list), .count = sizeof(list) / sizeof(list)[0], __VA_ARGS__                      \
    }

extern const struct script script_juce, script_juce_reset, script_obs, script_portaudio,
    script_rtaudio, script_naudio, script_bass, script_fmod;
extern const struct script script_live, script_cubase, script_max, script_pro_tools,
    script_fl_studio, script_rew, script_rocksmith, script_vb_bridge;

#endif
