/* SPDX-License-Identifier: MIT */
/* The group hosts: each case goes through the script of a real host, see hosts.h. */
#include "conform/hosts.h"

#define JUCE_SOURCE "juce-framework/JUCE, modules/juce_audio_devices/native/juce_ASIO_windows.cpp"
#define FLEXASIO_ISSUES "dechamps/FlexASIO, issues "

/* X(script, case, rule, source, needs) */
#define HOSTS(X)                                                                                   \
    X(juce, juce_opens_probes_and_plays,                                                           \
      "JUCE can make, start and stop small buffers before the ones that it plays with",            \
      JUCE_SOURCE, NEED_STREAM)                                                                    \
    X(juce_reset, juce_makes_another_object_after_a_reset,                                         \
      "JUCE can release the driver and go on with a new one", JUCE_SOURCE, NEED_STREAM)            \
    X(obs, obs_opens_all_channels, "OBS can read names and record all channels much later",        \
      "Andersama/obs-asio, src/asio-input.cpp; " JUCE_SOURCE, NEED_STREAM)                         \
    X(portaudio, portaudio_lists_opens_and_restarts,                                               \
      "PortAudio can list, try a size in vain, play with the preferred one and play again",        \
      "PortAudio/portaudio, src/hostapi/asio/pa_asio.cpp", NEED_STREAM)                            \
    X(rtaudio, rtaudio_opens_output_then_both,                                                     \
      "RtAudio can open the output, dispose of it, and open both directions",                      \
      "thestk/rtaudio, RtAudio.cpp", NEED_STREAM)                                                  \
    X(naudio, naudio_reinitialises_the_same_object,                                                \
      "NAudio can ask for latencies first and make new buffers without a new object",              \
      "naudio/NAudio, src/NAudio.Asio/AsioDriverExt.cs; " FLEXASIO_ISSUES "122", NEED_STREAM)      \
    X(bass, bass_plays_from_a_thread_of_its_own,                                                   \
      "BASS can keep the driver in a thread of its own and change rate and channels",              \
      "un4seen.com/doc/bassasio (no source)", NEED_STREAM | NEED_OUTPUT)                           \
    X(fmod, fmod_lists_then_opens_twice,                                                           \
      "FMOD can look at the driver, play, and change to it once more",                             \
      "GOMazk/OpenLR2, pull request 187 and issue 77 (no source)", NEED_STREAM | NEED_OUTPUT)      \
    X(live, live_opens_two_side_by_side_and_asks_rates_while_running,                              \
      "Ableton Live can initialise two objects and ask for rates at any time",                     \
      FLEXASIO_ISSUES "16, 19, 66, 86 (no source)", NEED_STREAM)                                   \
    X(cubase, cubase_changes_the_rate_between_buffers,                                             \
      "Cubase can start and stop at once, and change the rate without a new object",               \
      JUCE_SOURCE "; " FLEXASIO_ISSUES "66, 72 (no source)", NEED_STREAM)                          \
    X(max, max_stops_after_one_callback,                                                           \
      "Max can stop after one callback that outputReady did not follow, and start again",          \
      FLEXASIO_ISSUES "66, 235; dechamps/ASIO401, issue 27 (no source)", NEED_STREAM)              \
    X(pro_tools, pro_tools_is_slow_in_its_first_callback,                                          \
      "Pro Tools can initialise two objects, and take long in its first callback",                 \
      FLEXASIO_ISSUES "84, 86, 90 (no source)", NEED_STREAM)                                       \
    X(fl_studio, fl_studio_writes_after_the_callback,                                              \
      "FL Studio can mix in a thread of its own and change the size",                              \
      "FL Studio's manual, System Settings - Audio (no source)", NEED_STREAM | NEED_OUTPUT)        \
    X(rew, rew_sets_the_rate_in_another_object,                                                    \
      "Room EQ Wizard can set a rate, release, and find it in the next object",                    \
      FLEXASIO_ISSUES "31 (no source)", NEED_STREAM | NEED_INPUT | NEED_OUTPUT)                    \
    X(rocksmith, rocksmith_loads_the_module_without_com,                                           \
      "Rocksmith can load the module by its path and free it right after Release",                 \
      "mdias/rs_asio, RS_ASIO/AsioSharedHost.cpp", NEED_STREAM)                                    \
    X(vb_bridge, vb_bridge_asks_output_ready_and_never_calls_it,                                   \
      "VB-Audio's bridge can ask for outputReady and never call it",                               \
      FLEXASIO_ISSUES "261 (no source)", NEED_STREAM)

#define HOST_RUN(script, name, rule, source, needs)                                                \
    static void run_##script(struct conform *t)                                                    \
    {                                                                                              \
        script_run(t, &script_##script);                                                           \
    }
HOSTS(HOST_RUN)
#undef HOST_RUN

static const struct conform_case cases[] = {
#define HOST_CASE(script, name, rule, source, needs) {#name, rule, source, run_##script, needs, 0},
    HOSTS(HOST_CASE)
#undef HOST_CASE
};

const struct conform_group conform_group_hosts = {
    "hosts", "what real hosts call, one after the other", cases, sizeof(cases) / sizeof(cases[0])};
