/* SPDX-License-Identifier: MIT */
/*
 * The cycle: everything that happens between a device's period beginning and its output being
 * complete. One struct holds all that it touches; nothing here allocates, locks, logs or waits on a
 * client beyond the deadline.
 *
 * Control (src/engine) prepares objects and hands them over through a ring of commands;
 * what the cycle gives up is freed by control once the cycle has passed the command that took it
 * away.
 */
#ifndef TUTTI_CYCLE_H
#define TUTTI_CYCLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "backend/backend.h"
#include "base/ring.h"
#include "mixer/clock.h"
#include "mixer/statistics.h"
#include "proto/handoff.h"
#include "proto/message.h"

enum {
    CYCLE_MAX_CLIENTS = 256,
    CYCLE_MAX_BUFFER_FRAMES = 8192, /* as the configuration: CONFIG_BUFFER_FRAMES */
    CYCLE_RING_FRAMES =
        32768, /* of captured input; a power of two >= 2 * buffer + delay + period */
    CYCLE_RING_PITCH = CYCLE_RING_FRAMES + 80, /* from one input's ring to the next: no power of
                                                  two, or all would share a few lines of cache */
    CYCLE_TOGETHER = 16, /* channels side by side in a device's memory that are done at a time: a
                            line of cache */
    CYCLE_TOGETHER_LEAST = 4,
    CYCLE_TOGETHER_FRAMES = 256, /* and frames */
    CYCLE_MIN_OUT_FRAMES = 8192, /* output rings: powers of two from here; a mixing window is split
                                    at multiples of it */
    CYCLE_COMMANDS = 1024,
};

/* Why a block was left out. */
enum late_cause {
    LATE_PROGRAM, /* it did not answer in time */
    LATE_DEVICE,  /* the device lost time */
    LATE_MACHINE, /* the engine itself was not run in time */
};

/* What becomes of one half of a client's buffers, as the engine sees it. */
enum half_state {
    HALF_FREE,    /* the engine may fill it */
    HALF_ISSUED,  /* the client owns it */
    HALF_DONE,    /* handed back in time; output not read to its end (in place only) */
    HALF_DROPPED, /* the client owns it past the deadline: its output will not be used */
    HALF_STATE_COUNT
};

/* A late client whose callback thread computes all the time keeps others from running, perhaps
 * also the engine's own ordinary threads: the cycle takes that thread's real-time priority away. */
enum cycle_hog {
    CYCLE_NO_HOG,
    CYCLE_HOG_DEMOTED,
    CYCLE_HOG_AT_LARGE, /* late for long, and its thread is not known: control looks */
};

/* A client's callback thread. */
struct cycle_thread {
    uint32_t id;
    os_handle time;               /* os_thread_time_ns() */
    struct os_thread_level level; /* that the cycle took away */
};

struct cycle_half {
    enum half_state state;
    uint32_t seq;
    int64_t out_frame; /* where its output begins */
    uint64_t issued_ns;
};

/* Where an input channel of a client reads. */
struct cycle_source {
    const float *ring; /* CYCLE_RING_FRAMES long; NULL: silence */
    int32_t channel;   /* of the device; -1: another source */
};

/* A gain that changes without a click: `now` at the present cycle's first frame, `step` more with
 * each of the next `left` frames, then `target`. */
struct cycle_gain {
    float now, step, target;
    uint32_t left;
};

/* A path of the direct monitor. */
struct cycle_path {
    const struct cycle_client *client; /* whose it is */
    uint32_t input, output;
    const float *ring; /* of the input */
    int32_t former;    /* its place in the list that this one replaces; -1: none */
    struct cycle_gain gain;
};

/* What one client wants of the direct monitor (direct_monitor.c). Made by control, the cycle's own
 * once it is handed over; input, output, ring and targets do not change. */
struct cycle_monitor {
    struct cycle_gain output[PROTO_MAX_CHANNELS]; /* by device channel */
    float input[PROTO_MAX_CHANNELS];              /* likewise: targets */
    float heard[PROTO_MAX_CHANNELS]; /* by the client's own channel: gain at its last block's end */
    struct cycle_path *path;
    uint32_t paths;
    bool moving;          /* some gain is on its way */
    _Atomic bool settled; /* none is: for control, which then leaves out paths that are silent */
};

struct cycle_client {
    /* set by control before the cycle gets it, constant afterwards */
    uint32_t id, pid;
    struct proto_segment *segment;
    struct proto_layout layout;
    struct os_wake doorbell;
    uint32_t bell; /* its doorbell when that is a pipe; OS_NO_BELL: it is not */
    struct cycle_source input[PROTO_MAX_CHANNELS];
    float *out_ring;      /* outputs x out_frames, zero where nothing was written */
    uint32_t out_frames;  /* a power of two */
    uint32_t offset;      /* see schedule.h; changed by client_slot_resume() alone */
    uint32_t input_delay; /* frames that the input is held back to keep a promised latency */
    bool late_take;
    bool tight;
    /* by control before the cycle gets it, then by CYCLE_MONITOR; NULL: it never asked for one */
    struct cycle_monitor *monitor;

    /* the cycle's own */
    enum proto_program_state state;
    uint32_t run; /* the run word that it was started with */
    uint32_t next_seq;
    int64_t origin;     /* engine frame of position 0 */
    int64_t next_frame; /* engine frame of the next block's first frame */
    uint32_t phase;     /* (next_frame - pos) is a multiple of it */
    bool in_place;
    bool jumped;          /* tell with the next stamp */
    bool waited;          /* armed in this cycle */
    int64_t out_valid_to; /* nothing but zeros in out_ring from here on */
    struct cycle_half half[2];
    /* When its thread's processor time was last looked at, that time, and whose it is. */
    uint64_t hog_since_ns, hog_cpu_ns;
    const struct cycle_thread *hog_thread;
    enum late_cause late_cause;

    /* for control to read */
    _Atomic uint32_t state_shown; /* enum proto_program_state */
    _Atomic uint64_t calls, late_program, late_device, late_machine, missed_frames, gap_frames;
    _Atomic uint64_t losses;          /* how often the device lost frames while it ran */
    struct statistics lateness_us;    /* from the call to the handing back */
    _Atomic uint64_t clipped_samples; /* as the client says; for people */
    struct statistics computing_us;   /* the callback alone, by the client's own word */

    _Atomic uint32_t thread; /* its callback thread, checked by control; 0: not known */
    _Atomic uint32_t hog;    /* enum cycle_hog; control sets it back */
    /* The same thread, by control; the cycle uses it within one cycle only. NULL: not known. */
    struct cycle_thread *_Atomic watched;
    struct cycle_thread *former_thread; /* control's: freed when so many cycles have run */
    uint64_t former_until;

    /* A thread that control keeps on this processor; 0: none. Whoever takes it by exchange, control
     * or cycle, lets it go. */
    _Atomic uint32_t gathered_thread;
    _Atomic uint32_t peak_in[PROTO_STATUS_METERS], peak_out[PROTO_STATUS_METERS]; /* float bits */
};

/* Which client's outputs meet on which device channel. Made by control, immutable. */
struct cycle_plan_entry {
    struct cycle_client *client;
    uint32_t output;
};
struct cycle_sum { /* what meets there */
    uint32_t first, count;
    uint32_t first_path, paths; /* of the direct monitor */
    int32_t output;             /* the device channel whose gains count; -1: none do */
};
struct cycle_bus { /* a mixed signal that clients read as an input, one block late */
    float *ring;   /* CYCLE_RING_FRAMES */
    struct cycle_sum sum;
};
struct cycle_feed; /* cycle_feed.h */
struct cycle_plan {
    uint32_t outputs; /* device channels */
    struct cycle_sum output[BACKEND_MAX_CHANNELS];
    struct cycle_bus *bus;
    uint32_t buses;
    struct cycle_plan_entry *entry;
    uint32_t entries;
    const struct cycle_path **path;
    uint32_t paths;
    /* What other masters' clients play, taken from their feeds before clients are called; and what
     * other masters' clients read, given to theirs after mixing. */
    struct cycle_feed **pull, **push;
    uint32_t pull_count, push_count;
    bool monitored;        /* somebody has a monitor */
    const float **sources; /* room for `entries` and `paths` pointers and one more */
};

enum cycle_command_kind { CYCLE_ADD, CYCLE_REMOVE, CYCLE_PLAN, CYCLE_MONITOR };
struct cycle_command {
    enum cycle_command_kind kind;
    struct cycle_client *client;
    struct cycle_plan *plan;       /* in force from here on; NULL: silence */
    struct cycle_monitor *monitor; /* CYCLE_MONITOR: client's from here on */
};

struct cycle {
    const struct cycle_clock *clock;
    /* the stream, set by control while no cycle runs */
    uint32_t inputs, outputs;
    enum dsp_format input_format, output_format;
    double rate_hz;
    uint64_t budget_ns;
    uint32_t reserve_us; /* configured; 0: measured */
    int32_t pin_cpu;     /* configured; -1: any */
    bool replacement;    /* no device: the engine's own clock */
    bool elastic;
    uint64_t generation;

    /* the cycle's own */
    uint32_t quantum; /* of the present cycle */
    int64_t pos;
    float *input_ring;                        /* inputs x CYCLE_RING_PITCH */
    float scratch[BACKEND_MAX_PERIOD_FRAMES]; /* what is added up with gains before it is mixed */
    float mixed[CYCLE_TOGETHER][CYCLE_TOGETHER_FRAMES]; /* channels on their way to the device */
    struct cycle_client *client[CYCLE_MAX_CLIENTS];
    uint32_t clients;
    struct cycle_plan *plan;
    uint64_t start_ns, time_ns, deadline_ns, mix_cost_ns;
    uint64_t rescue_ns; /* whoever is gathered and has not answered by then is let go */
    bool knows_thread;  /* the thread that runs the cycle was set up */
    int32_t kept_cpu;   /* it stays on this processor; -1: on any */

    /* between clients and the engine */
    struct proto_rendezvous *rendezvous;
    struct os_wake wake;
    /* Set by control when the page cannot be relied on: the cycle leaves it alone, asks nobody to
     * count, and looks at the answers by itself. */
    _Atomic bool alone;
    _Atomic uint32_t alone_word; /* nobody changes it */
    struct os_wake alone_wake;
    struct os_bells *bells; /* of clients that are woken by pipe */

    /* between control and the cycle */
    struct ring commands;
    struct cycle_command command_storage[CYCLE_COMMANDS];
    _Atomic uint64_t applied; /* commands so far */
    _Atomic uint64_t meters_until_ns;
    _Atomic int32_t gather_cpu; /* where some clients may be gathered; -1: none */

    /* for control to read */
    _Atomic uint32_t quantum_shown;
    _Atomic uint32_t cpu_shown; /* that the cycle runs on */
    _Atomic uint64_t cycles, xruns, lost_frames, overruns, late_events, rescues;
    struct statistics cost_us;
    struct statistics answer_us; /* from a cycle's start to all clients' answers */
};

/** One cycle. The stream's real-time thread (or control while no stream runs one). */
void cycle_run(struct cycle *cycle, const struct backend_cycle *period);

/** Applies the commands that wait. Called by the cycle, and by control while no cycle can run. */
void cycle_apply_commands(struct cycle *cycle);

/** Time passed without cycles (a reopened device): frames are skipped, clients jump. Control,
 * while no cycle can run. gap: count the frames as the device's gap. */
void cycle_skip(struct cycle *cycle, uint64_t frames, bool gap);

/** A client's halves, position and phase for another quantum. The cycle, or control while none can
 * run. */
void cycle_set_quantum(struct cycle *cycle, uint32_t quantum);

#endif
