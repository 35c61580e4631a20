/* SPDX-License-Identifier: MIT */
/*
 * Scripts of the libraries that many programs reach ASIO drivers through. The order of the calls
 * was learned from their public sources, or documents where there are no sources; each script names
 * them.
 */
#include "conform/hosts.h"

/* ---- JUCE: modules/juce_audio_devices/native/juce_ASIO_windows.cpp ---- */

/* openDevice(): two channels each way are made, started and stopped before anything is asked for.
 */
#define JUCE_OPENS                                                                                 \
    DO(CREATE), WITH(INIT, .a = WINDOW_DESKTOP), DO(NAME), DO(CHANNELS), DO(SIZES), DO(RATE),      \
        WITH(OUTPUT_READY, .allowed = MAY_READY), WITH(CAN_RATES, .allowed = MAY_RATE),            \
        DO(LATENCIES), WITH(BUFFERS, .a = 2, .b = 2), DO(CHANNELS),                                \
        WITH(CAN_RATES, .allowed = MAY_RATE), DO(CHANNELS), WITH(CHANNEL_INFO, .a = 1), DO(CLEAR), \
        DO(LATENCIES), DO(START), WITH(SLEEP, .a = 80), DO(STOP)

/* open(): the buffers of openDevice() are disposed of only here. */
#define JUCE_PREPARES(inputs, outputs, size)                                                       \
    DO(CHANNELS), WITH(CAN_RATES, .allowed = MAY_RATE), WITH(CLOCKS, .a = 16), DO(RATE),           \
        DO(SIZES), DO(CHANNELS),                                                                   \
        WITH(FUTURE, .allowed = ANSWER_ANY, .a = ASIO_FUTURE_CAN_REPORT_OVERLOAD),                 \
        WITH(DISPOSE, .allowed = ANSWER_ANY),                                                      \
        WITH(BUFFERS, .a = (inputs), .b = (outputs), .x = (size)), WITH(CHANNEL_INFO, .a = 1),     \
        DO(CLEAR), DO(LATENCIES), DO(SIZES), DO(START), WITH(BLOCKS, .a = 20)

#define JUCE_CLOSES                                                                                \
    WITH(SLEEP, .a = 20), DO(STOP), WITH(SLEEP, .a = 10), DO(DISPOSE), WITH(SLEEP, .a = 10)

static const struct script_step juce[] = {
    JUCE_OPENS,  JUCE_PREPARES(-1, -1, SIZE_PREFERRED),
    JUCE_CLOSES, JUCE_PREPARES(2, 2, SIZE_DOUBLE),
    JUCE_CLOSES, DO(RELEASE),
};

/* timerCallback() after a reset request: another object, and no buffers to dispose of. */
static const struct script_step juce_reset[] = {
    JUCE_OPENS,
    JUCE_PREPARES(-1, -1, SIZE_PREFERRED),
    JUCE_CLOSES,
    DO(RELEASE),
    DO(CREATE),
    WITH(INIT, .a = WINDOW_DESKTOP),
    DO(NAME),
    DO(RATE),
    WITH(SET_RATE, .a = RATE_CURRENT),
    JUCE_PREPARES(-1, -1, SIZE_PREFERRED),
    JUCE_CLOSES,
    DO(RELEASE),
};

/* Andersama/obs-asio, src/asio-input.cpp: a plug-in on JUCE. The panel makes the device to read the
 * channels' names; a source opens all channels of both directions later, and leaves the outputs as
 * they are. */
static const struct script_step obs[] = {
    JUCE_OPENS,
    DO(CHANNELS),
    DO(CHANNEL_INFO),
    WITH(SLEEP, .a = 200),
    JUCE_PREPARES(-1, -1, SIZE_PREFERRED),
    WITH(BLOCKS, .a = 60),
    JUCE_CLOSES,
    DO(RELEASE),
};

/* ---- PortAudio: src/hostapi/asio/pa_asio.cpp ---- */

/* LoadAsioDriver() */
#define PORTAUDIO_LOADS                                                                            \
    DO(CREATE), WITH(INIT, .a = WINDOW_DESKTOP), DO(NAME), DO(VERSION), DO(CHANNELS), DO(SIZES),   \
        WITH(OUTPUT_READY, .allowed = MAY_READY)

static const struct script_step portaudio[] = {
    /* Pa_Initialize() */
    PORTAUDIO_LOADS,
    WITH(CAN_RATES, .allowed = MAY_RATE | ANSWER_NOT_PRESENT),
    DO(CHANNEL_INFO),
    DO(RELEASE),
    /* Pa_IsFormatSupported() */
    PORTAUDIO_LOADS,
    DO(CAN_RATE),
    DO(RELEASE),
    /* OpenStream(): a size that is refused makes it try the preferred one */
    PORTAUDIO_LOADS,
    DO(CAN_RATE),
    DO(RATE),
    WITH(BUFFERS, .allowed = IS_REFUSED, .a = 2, .b = 2, .x = SIZE_OFF_GRID),
    WITH(BUFFERS, .a = 2, .b = 2),
    DO(CHANNEL_INFO),
    DO(LATENCIES),
    DO(START),
    WITH(BLOCKS, .a = 20),
    DO(STOP),
    /* a stream can be started again */
    DO(START),
    WITH(BLOCKS, .a = 20),
    DO(STOP),
    DO(DISPOSE),
    DO(RELEASE),
    /* PaAsio_ShowControlPanel() */
    DO(CREATE),
    WITH(INIT, .a = WINDOW_DESKTOP),
    DO(NAME),
    DO(VERSION),
    WITH(PANEL, .allowed = ANSWER_OK | ANSWER_NOT_PRESENT),
    DO(RELEASE),
};

/* ---- RtAudio: RtAudio.cpp, class RtApiAsio ---- */

#define RTAUDIO_LOADS                                                                              \
    DO(CREATE), WITH(INIT, .a = WINDOW_DESKTOP), DO(NAME), DO(VERSION), DO(CHANNELS)

static const struct script_step rtaudio[] = {
    /* probeSingleDeviceInfo() */
    RTAUDIO_LOADS,
    WITH(CAN_RATES, .allowed = MAY_RATE),
    WITH(FIRST_INFO, .a = 1),
    DO(RELEASE),
    /* probeDeviceOpen() of the output */
    RTAUDIO_LOADS,
    DO(CAN_RATE),
    DO(RATE),
    DO(FIRST_INFO),
    DO(SIZES),
    WITH(BUFFERS, .b = 2),
    DO(LATENCIES),
    /* and then of the input: both are made anew */
    DO(CHANNELS),
    DO(CAN_RATE),
    DO(RATE),
    WITH(FIRST_INFO, .a = 1),
    DO(SIZES),
    DO(DISPOSE),
    WITH(BUFFERS, .a = 2, .b = 2),
    DO(LATENCIES),
    DO(START),
    WITH(BLOCKS, .a = 20),
    DO(STOP),
    DO(START),
    WITH(BLOCKS, .a = 5),
    DO(STOP),
    DO(DISPOSE),
    DO(RELEASE),
};

/* ---- NAudio: src/NAudio.Asio/AsioDriverExt.cs ---- */

/* BuildCapabilities(): latencies before there are buffers; NotPresent is forgiven, nothing else is
 * (dechamps/FlexASIO issue 122). */
#define NAUDIO_BUILDS                                                                              \
    DO(NAME), DO(CHANNELS), DO(CHANNEL_INFO), DO(RATE), WITH(LATENCIES, .allowed = MAY_READY),     \
        DO(SIZES)

static const struct script_step naudio[] = {
    DO(CREATE),
    DO(INIT),
    NAUDIO_BUILDS,
    WITH(CAN_RATES, .allowed = MAY_RATE),
    WITH(SET_RATE, .a = RATE_CURRENT),
    NAUDIO_BUILDS,
    WITH(BUFFERS, .a = -1, .b = -1),
    WITH(OUTPUT_READY, .allowed = MAY_READY),
    DO(START),
    WITH(BLOCKS, .a = 20),
    DO(STOP),
    /* Reinitialize(): the same object */
    DO(DISPOSE),
    NAUDIO_BUILDS,
    WITH(BUFFERS, .a = -1, .b = -1, .x = SIZE_DOUBLE),
    WITH(OUTPUT_READY, .allowed = MAY_READY),
    DO(START),
    WITH(BLOCKS, .a = 20),
    DO(STOP),
    DO(DISPOSE),
    NAUDIO_BUILDS,
    /* ReleaseDriver() disposes once more */
    WITH(DISPOSE, .allowed = IS_REFUSED),
    DO(RELEASE),
};

/* ---- BASSASIO: un4seen.com/doc/bassasio, no source ---- */

/* What the documents tell: the driver may live in a thread of its own (BASS_ASIO_THREAD), rates are
 * checked one by one, channels are chosen before BASS_ASIO_Start, which takes a buffer length, and
 * BASS_ASIO_Stop and Start may follow each other. The order of calls between is not told. */
static const struct script_step bass[] = {
    DO(CREATE),
    WITH(INIT, .a = WINDOW_DESKTOP),
    DO(CHANNELS),
    DO(SIZES),
    WITH(CAN_RATES, .allowed = MAY_RATE),
    DO(RATE),
    WITH(SET_RATE, .a = RATE_ANOTHER),
    DO(EXPECT_RATE),
    DO(CHANNEL_INFO),
    WITH(BUFFERS, .b = 2),
    DO(LATENCIES),
    DO(START),
    WITH(BLOCKS, .a = 20),
    DO(STOP),
    DO(DISPOSE),
    WITH(SET_RATE, .a = RATE_FIRST),
    WITH(BUFFERS, .a = 1, .b = 2, .x = SIZE_DOUBLE),
    DO(START),
    WITH(BLOCKS, .a = 20),
    DO(STOP),
    DO(DISPOSE),
    DO(RELEASE),
};

/* ---- FMOD: FMOD_OUTPUTTYPE_ASIO, no source ---- */

/* What is known: a program that is not told otherwise opens the first driver and changes to another
 * one afterwards (GOMazk/OpenLR2 pull request 187), and FMOD looks at each driver beyond its
 * registry key when it lists them (issue 77 there). It plays; it records by other means. */
static const struct script_step fmod_asio[] = {
    /* listed */
    DO(CREATE),
    WITH(INIT, .a = WINDOW_DESKTOP),
    DO(NAME),
    DO(CHANNELS),
    DO(RELEASE),
    /* opened */
    DO(CREATE),
    WITH(INIT, .a = WINDOW_DESKTOP),
    DO(CHANNELS),
    DO(RATE),
    DO(SIZES),
    WITH(BUFFERS, .b = 2),
    DO(FIRST_INFO),
    DO(START),
    WITH(BLOCKS, .a = 5),
    /* and another one chosen */
    DO(STOP),
    DO(DISPOSE),
    DO(RELEASE),
    DO(CREATE),
    WITH(INIT, .a = WINDOW_DESKTOP),
    DO(CHANNELS),
    DO(RATE),
    DO(SIZES),
    WITH(BUFFERS, .b = 2),
    DO(FIRST_INFO),
    DO(START),
    WITH(BLOCKS, .a = 20),
    DO(STOP),
    DO(DISPOSE),
    DO(RELEASE),
};

/* ---- the list ---- */

const struct script script_juce =
    SCRIPT(juce, .host = "JUCE", .behaviour = {.knows = OF_JUCE, .ready = READY_IF_OK});
const struct script script_juce_reset =
    SCRIPT(juce_reset, .host = "JUCE after a reset",
           .behaviour = {.knows = OF_JUCE, .ready = READY_IF_OK});
const struct script script_obs =
    SCRIPT(obs, .host = "obs-asio", .behaviour = {.knows = OF_JUCE, .ready = READY_IF_OK});
const struct script script_portaudio =
    SCRIPT(portaudio, .host = "PortAudio",
           .behaviour = {.knows = OF_SAMPLE_HOST, .wants_time = true, .ready = READY_IF_OK});
/* It knows the question for time info, answers no, and gives no function; outputReady is called
 * whatever the driver said of it. */
const struct script script_rtaudio =
    SCRIPT(rtaudio, .host = "RtAudio",
           .behaviour = {.knows = OF_SAMPLE_HOST, .null_time_info = true, .ready = READY_ALWAYS});
const struct script script_naudio =
    SCRIPT(naudio, .host = "NAudio",
           .behaviour = {.knows = OF_NAUDIO, .wants_time = true, .ready = READY_IF_OK});
const struct script script_bass =
    SCRIPT(bass, .host = "BASSASIO", .behaviour = {.knows = OF_SAMPLE_HOST, .ready = READY_IF_OK},
           .apartment = APARTMENT_STA);
const struct script script_fmod =
    SCRIPT(fmod_asio, .host = "FMOD", .behaviour = {.knows = OF_SAMPLE_HOST});
