/* SPDX-License-Identifier: MIT */
/*
 * Scripts of programs. Most have no public source: what is scripted is what logs of drivers in
 * public threads show of them, and what their makers document; where a thread shows a part only,
 * the rest is what any host does. Each script names where its facts are from.
 */
#include "conform/hosts.h"

/* What every host asks between init and createBuffers. */
#define ASKS                                                                                       \
    DO(NAME), DO(CHANNELS), DO(SIZES), DO(RATE), WITH(OUTPUT_READY, .allowed = MAY_READY),         \
        DO(CHANNEL_INFO)

#define PLAYS(blocks) DO(START), WITH(BLOCKS, .a = (blocks))

/* ---- Ableton Live ---- */

/* dechamps/FlexASIO issues 16 (it sets the rate without asking whether it can), 19 (latencies after
 * createBuffers, then rates, while buffers are there), 66 (rates while it runs) and 86 (it
 * initialises several drivers side by side). */
static const struct script_step live[] = {
    DO(CREATE),
    DO(OTHER),
    DO(CREATE),
    WITH(INIT, .a = WINDOW_DESKTOP),
    DO(OTHER),
    WITH(INIT, .a = WINDOW_DESKTOP),
    ASKS,
    WITH(SET_RATE, .a = RATE_CURRENT),
    WITH(BUFFERS, .a = -1, .b = -1),
    DO(LATENCIES),
    WITH(CAN_RATES, .allowed = MAY_RATE),
    PLAYS(8),
    WITH(CAN_RATES, .allowed = MAY_RATE),
    DO(RATE),
    DO(OTHER),
    ASKS,
    DO(RELEASE),
    DO(OTHER),
    WITH(BLOCKS, .a = 20),
    DO(STOP),
    DO(DISPOSE),
    DO(RELEASE),
};

/* ---- Cubase ---- */

/* juce_ASIO_windows.cpp says what Cubase does while it opens a driver (latencies, small buffers,
 * start and stop before the real ones); dechamps/FlexASIO issues 66 (rates while it runs) and 72
 * (another rate between two createBuffers of one object). */
static const struct script_step cubase[] = {
    DO(CREATE),
    WITH(INIT, .a = WINDOW_DESKTOP),
    ASKS,
    WITH(CAN_RATES, .allowed = MAY_RATE),
    DO(LATENCIES),
    WITH(BUFFERS, .a = 2, .b = 2),
    DO(LATENCIES),
    DO(START),
    DO(STOP),
    DO(DISPOSE),
    WITH(CLOCKS, .a = 16),
    WITH(BUFFERS, .a = -1, .b = -1),
    DO(LATENCIES),
    PLAYS(10),
    WITH(CAN_RATES, .allowed = MAY_RATE),
    DO(STOP),
    DO(DISPOSE),
    WITH(SET_RATE, .a = RATE_ANOTHER),
    DO(EXPECT_RATE),
    WITH(BUFFERS, .a = -1, .b = -1),
    DO(LATENCIES),
    PLAYS(10),
    DO(STOP),
    DO(DISPOSE),
    WITH(SET_RATE, .a = RATE_FIRST),
    DO(RELEASE),
};

/* ---- Max ---- */

/* dechamps/FlexASIO issues 66 (createBuffers, then which rates there are; a stop that is not asked
 * for in the state it is in is only noted), 235 and dechamps/ASIO401 issue 27 (it stops after the
 * first callback, whose outputReady never comes). */
static const struct script_step max[] = {
    DO(CREATE),
    WITH(INIT, .a = WINDOW_DESKTOP),
    ASKS,
    WITH(CAN_RATES, .allowed = MAY_RATE),
    WITH(BUFFERS, .a = 2, .b = 2),
    WITH(CAN_RATES, .allowed = MAY_RATE),
    WITH(STOP, .allowed = ANSWER_ANY),
    WITH(SET_RATE, .a = RATE_CURRENT),
    PLAYS(1),
    DO(STOP),
    PLAYS(20),
    WITH(CAN_RATES, .allowed = MAY_RATE),
    DO(STOP),
    DO(DISPOSE),
    DO(RELEASE),
};

/* ---- Pro Tools ---- */

/* dechamps/FlexASIO issues 84 (its first callback takes long), 86 (several drivers initialised side
 * by side) and 90 (1024 frames, it hangs by itself at 2048). */
static const struct script_step pro_tools[] = {
    DO(CREATE),
    WITH(INIT, .a = WINDOW_DESKTOP),
    DO(OTHER),
    DO(CREATE),
    WITH(INIT, .a = WINDOW_DESKTOP),
    ASKS,
    DO(OTHER),
    ASKS,
    WITH(CAN_RATES, .allowed = MAY_RATE),
    WITH(BUFFERS, .a = -1, .b = -1, .x = SIZE_LARGE),
    DO(LATENCIES),
    PLAYS(8),
    DO(STOP),
    DO(DISPOSE),
    DO(RELEASE),
    DO(OTHER),
    DO(RELEASE),
};

/* ---- FL Studio ---- */

/* Its manual (System Settings, Audio): without "Mix in buffer switch" it mixes in a thread of its
 * own, so outputs are written after the callback has returned; the sizes offered are the driver's,
 * and it can be told to use another one while it plays: stop, dispose, create, start. */
static const struct script_step fl_studio[] = {
    DO(CREATE),
    WITH(INIT, .a = WINDOW_DESKTOP),
    ASKS,
    WITH(CAN_RATES, .allowed = MAY_RATE),
    WITH(SET_RATE, .a = RATE_CURRENT),
    WITH(BUFFERS, .b = 2),
    DO(LATENCIES),
    PLAYS(20),
    DO(STOP),
    DO(DISPOSE),
    WITH(BUFFERS, .b = 2, .x = SIZE_DOUBLE),
    DO(LATENCIES),
    PLAYS(20),
    DO(STOP),
    DO(DISPOSE),
    DO(RELEASE),
};

/* ---- Room EQ Wizard ---- */

/* dechamps/FlexASIO issue 31: the rate is set in one object; another one plays, and is never told
 * the rate again. */
static const struct script_step rew[] = {
    DO(CREATE),
    DO(INIT),
    ASKS,
    WITH(CAN_RATES, .allowed = MAY_RATE),
    WITH(SET_RATE, .a = RATE_ANOTHER),
    DO(RELEASE),
    DO(CREATE),
    DO(INIT),
    DO(CHANNELS),
    DO(SIZES),
    WITH(BUFFERS, .a = 1, .b = 1),
    DO(EXPECT_RATE),
    PLAYS(10),
    DO(STOP),
    DO(DISPOSE),
    WITH(SET_RATE, .a = RATE_FIRST),
    DO(RELEASE),
};

/* ---- Rocksmith ---- */

/* mdias/rs_asio, RS_ASIO/AsioSharedHost.cpp: the module is loaded by its path and freed at once
 * after Release, COM is not asked, init gets a module in place of a window, outputs come before
 * inputs. */
static const struct script_step rocksmith[] = {
    DO(LOAD),
    WITH(INIT, .a = WINDOW_GARBAGE),
    DO(CHANNELS),
    DO(CHANNEL_INFO),
    DO(NAME),
    DO(RATE),
    WITH(OUTPUT_READY, .allowed = MAY_READY),
    DO(SIZES),
    WITH(BUFFERS, .a = -1, .b = -1),
    PLAYS(20),
    DO(STOP),
    DO(DISPOSE),
    DO(RELEASE),
    DO(UNLOAD),
    WITH(SLEEP, .a = 100),
    /* the devices are listed again before each song */
    DO(LOAD),
    WITH(INIT, .a = WINDOW_GARBAGE),
    DO(CHANNELS),
    DO(CHANNEL_INFO),
    DO(NAME),
    DO(RELEASE),
    DO(UNLOAD),
};

/* ---- VB-Audio ASIO Bridge ---- */

/* dechamps/FlexASIO issue 261: it asks outputReady before it starts and never calls it again. */
static const struct script_step vb_bridge[] = {
    DO(CREATE),
    WITH(INIT, .a = WINDOW_DESKTOP),
    ASKS,
    WITH(OUTPUT_READY, .allowed = MAY_READY),
    WITH(BUFFERS, .a = -1, .b = -1),
    PLAYS(20),
    DO(STOP),
    DO(DISPOSE),
    DO(RELEASE),
};

/* ---- the list ---- */

const struct script script_live =
    SCRIPT(live, .host = "Ableton Live",
           .behaviour = {.knows = OF_SAMPLE_HOST, .wants_time = true, .ready = READY_IF_OK});
const struct script script_cubase =
    SCRIPT(cubase, .host = "Cubase",
           .behaviour = {.knows = OF_SAMPLE_HOST, .wants_time = true, .ready = READY_IF_OK});
const struct script script_max =
    SCRIPT(max, .host = "Max", .behaviour = {.knows = OF_SAMPLE_HOST, .wants_time = true});
const struct script script_pro_tools =
    SCRIPT(pro_tools, .host = "Pro Tools",
           .behaviour = {.knows = OF_SAMPLE_HOST, .wants_time = true, .first_ms = 300});
const struct script script_fl_studio = SCRIPT(
    fl_studio, .host = "FL Studio", .behaviour = {.knows = OF_SAMPLE_HOST, .writes_later = true});
const struct script script_rew =
    SCRIPT(rew, .host = "Room EQ Wizard",
           .behaviour = {.knows = OF_SAMPLE_HOST, .asks_position = true, .ready = READY_IF_OK},
           .apartment = APARTMENT_MTA);
const struct script script_rocksmith = SCRIPT(
    rocksmith, .host = "Rocksmith (RS_ASIO)",
    .behaviour = {.knows = OF_SAMPLE_HOST, .ready = READY_IF_OK}, .apartment = APARTMENT_STA);
const struct script script_vb_bridge =
    SCRIPT(vb_bridge, .host = "VB-Audio ASIO Bridge", .behaviour = {.knows = OF_SAMPLE_HOST});
