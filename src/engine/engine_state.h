/* SPDX-License-Identifier: MIT */
/*
 * What the engine's control side knows; private to this folder. Everything here is guarded by
 * `lock` unless it says otherwise; the cycle has its own struct and is reached by commands.
 *
 * A backend may take seconds to open, start, stop or list: it is called without the lock, by the
 * thread that has claimed the device (device_claim()). Meanwhile programs connect, ask and leave.
 */
#ifndef TUTTI_ENGINE_STATE_H
#define TUTTI_ENGINE_STATE_H

#include "base/pace.h"
#include "mixer/cycle.h"
#include "engine/engine.h"
#include "engine/placement.h"

enum {
    ENGINE_MAX_BUSES = 1024,
    ENGINE_MAX_CHANNELS = 8192, /* inputs and outputs of all programs on the device */
    ENGINE_LINGER_MS = 1000,    /* the device stays open this long after the last program left it */
    ENGINE_REOPEN_MS = 250,     /* between two attempts at a lost device */
    ENGINE_PATIENCE_MIN_MS = 200, /* a program takes no engine for dead sooner */
    ENGINE_TURN_MS = 3000,        /* span of the statistics */
    /* a rate is kept this long after the program that asked for it: hosts close and open again */
    ENGINE_RATE_KEPT_MS = 5000,
};

/* A device as a profile wants it. Profiles that say the same of it share one. */
struct engine_setup {
    struct config config;
    struct proto_device known; /* last known, while another setup is in force */
    double rate_hz;            /* asked for, likewise */
    uint32_t rate_by;      /* the program that asked for another than the configuration's; or 0 */
    uint64_t rate_left_ns; /* since when it is gone and nobody plays; 0: not so */
    bool named;            /* by the configuration as it is now */
};

struct engine_named_setup {
    char profile[PROTO_PROFILE_BYTES]; /* "": of programs without one */
    struct engine_setup *setup;
};

struct engine_program {
    uint32_t id, bits;
    uint32_t pid; /* as the link's system tells it; the host's, once that was seen to be true */
    uint32_t host_pid; /* what HELLO says: the process that a bridge speaks for; 0: none */
    char name[PROTO_NAME_BYTES];
    char profile[PROTO_PROFILE_BYTES];
    struct cycle_client *cycle; /* NULL: connected only */
    struct os_shm segment;
    struct proto_channel input[PROTO_MAX_CHANNELS], output[PROTO_MAX_CHANNELS];
    struct proto_monitor *wish;    /* of the direct monitor; NULL: it never asked */
    struct cycle_monitor *monitor; /* made of it, what the last command put in force; or NULL */
    uint32_t input_latency, output_latency; /* as reported */
    uint32_t timeout_ms;                    /* likewise */
    /* The least that was reported since it joined: what a latency that had to rise returns to. */
    uint32_t least_input_latency, least_output_latency;
    char heard_device[PROTO_NAME_BYTES]; /* that the reported latencies are of */
    uint32_t heard_period;               /* likewise */
    bool exact;                          /* PROTO_PREPARE_EXACT */
    uint64_t lates_reported, losses_reported;
    /* hogs.c */
    bool demoted;
    uint64_t good_since_ns, late_seen; /* no late block since; late ones until then */
    uint64_t suspect_since_ns, suspect_cpu_ns;
    bool condemned;      /* it does harm and was told that it is removed */
    uint32_t met_thread; /* the last one that it named, whether it has it or not */
};

/* A ring that carries a mixed signal or a program's output to programs that read it. */
struct engine_bus {
    struct proto_channel source;
    unsigned users;
    float *ring;
};

/* Freed once the cycle has passed a command. */
struct engine_retired {
    uint64_t command;
    struct cycle_client *program;
    struct os_shm segment;
    struct cycle_plan *plan;
    struct cycle_monitor *monitor;
    float *ring;
};

struct engine_message {
    uint32_t program_id;
    struct proto_event event;
};

struct engine {
    struct os_mutex lock;
    struct os_cond freed; /* device_claimed became false */
    bool device_claimed;
    bool
        plays_on; /* claimed, to list devices, say: its cycles go on, device_guard() watches them */
    bool tend_due; /* the device could not be tended for that: it comes before the next listing */
    struct config config; /* of the setup in force; changed with the device claimed */
    struct cycle_clock clock;
    bool own_clock; /* injected: no threads of the engine's own */
    engine_event_fn event;
    void (*attention)(void *user);
    void (*remove)(void *user, uint32_t program_id);
    void *user; /* of all three */
    uint64_t born_ns;

    struct engine_program *program[CYCLE_MAX_CLIENTS];
    uint32_t programs;
    uint32_t next_id;
    bool joining; /* engine_prepare() is choosing the period. By the thread that claimed the device
                   */
    struct engine_bus *bus;
    uint32_t buses;

    /* profiles.c */
    struct engine_setup **setup;
    unsigned setups;
    struct engine_setup *in_force;    /* whose device is open, or would be opened */
    char led_by[PROTO_PROFILE_BYTES]; /* the profile of the first program that plays */
    struct engine_named_setup *named;
    unsigned names;

    /* device.c */
    enum proto_stream_state state;
    const struct backend *backend; /* NULL while "auto" has not settled */
    struct backend_stream *stream;
    uint64_t look_ns;      /* null_device.c: when to look for another device; 0: not yet known */
    unsigned look_wait_ms; /* likewise, between two looks */
    char unheard[PROTO_TEXT_BYTES]; /* why "auto" opened a silent device; "": it did not */
    struct proto_device known;      /* last known device, also while closed */
    double rate_hz;                 /* asked for */
    bool live_period;
    /* Periods that were asked for and not given, until the device changes: up to and from these; 0:
     * none. */
    uint32_t refused_to, refused_from;
    bool exact;                      /* the open stream carries 24-bit words unchanged */
    _Atomic uint32_t backend_events; /* bit per backend_event_kind; set by the backend's threads */
    uint64_t idle_since_ns, retry_ns;
    uint64_t call_since_ns; /* when the backend's call under way began; 0: none */

    /* handover.c */
    _Atomic unsigned gate;       /* of the device's cycles */
    uint32_t gate_outputs;       /* of the stream that starts: for silence while it is shut */
    enum dsp_format gate_format; /* likewise */
    uint64_t gate_opened_ns;
    bool replacing; /* the own clock runs the cycle */
    struct pace pace;
    struct os_thread *replacement;
    _Atomic bool replacement_stop;
    int64_t left_pos; /* engine frame at which the device's cycles ended */
    uint64_t reopenings, gap_frames;

    struct placement placement;

    struct cycle cycle;
    struct os_shm rendezvous;
    uint64_t commands;
    struct cycle_plan *plan; /* that the last command put in force */
    struct engine_retired *retired;
    uint32_t retired_count, retired_room;
    struct engine_message *outbox;
    uint32_t outbox_count, outbox_room;
    uint64_t turned_ns;
};

/* ---- events.c ---- */

uint64_t events_now_ns(const struct engine *engine);
/** Queues an event for one program (0: all that are prepared). */
void events_notify(struct engine *engine, uint32_t program_id, enum proto_event_kind kind,
                   uint64_t value, const char *text);
/** Sends what is queued; without the lock meanwhile. */
void events_send(struct engine *engine);
/** Queues an event for a program: `value` blocks came late or were lost, `losses` of them by the
 * device. */
void events_report_overload(struct engine *engine, const struct engine_program *program,
                            uint64_t value, uint64_t losses);

/* ---- client_list.c: who is on the engine ---- */

struct engine_program *client_list_find(struct engine *engine, uint32_t program_id);
/** Number of programs on the device. */
unsigned client_list_prepared(const struct engine *engine);
/** The program that has the device alone; NULL: there is none. */
const struct engine_program *client_list_exact(const struct engine *engine);

/* ---- device_state.c ---- */

/** True while cycles may run on another thread. */
bool device_state_is_cycling(const struct engine *engine);
/** Takes over what the open stream is, into `known` and the cycle. No cycle runs. */
void device_state_know(struct engine *engine);

/* ---- commands.c: to the cycle, and what they retire ---- */

/** Hands the cycle a command with a plan of the present programs; program may be NULL. */
void commands_send(struct engine *engine, enum cycle_command_kind kind,
                   struct cycle_client *program);
/** Frees what the cycle has let go of. */
void commands_reclaim(struct engine *engine);
void commands_free_monitor(struct cycle_monitor *monitor);
/** Frees it once the cycle has passed the last command. */
void commands_retire(struct engine *engine, struct engine_retired retired);
/** Before anything changes: waits until the cycle takes commands, without the lock. Without a cycle
 * they are applied here. */
void commands_await_room(struct engine *engine);
/** Hands the cycle any command, with a plan of the present clients. */
void commands_put(struct engine *engine, struct cycle_command command);

/* ---- latency.c ---- */

/** The stream was opened again: chooses the program's latencies on it. True: they are those that
 * were reported. They stay where the stream can keep them and the period fell for a program that
 * joins, or nothing changed; else they are as low as for one that joins now. No cycle runs. */
bool latency_settle(struct engine *engine, struct engine_program *program);
/** Reports the engine timeouts of the device as info says it is now: those that are longer than the
 * programs know, or those that are shorter. */
void latency_notify_timeouts(struct engine *engine, const struct backend_info *info, bool longer);
/** The latencies of a client that joins; keep: those that it has, where the stream can. */
void latency_choose(const struct engine *engine, struct engine_program *program, bool keep);
/** What follows of the chosen latencies: how long the input is held back, where the output begins.
 */
uint32_t latency_delay(const struct engine *engine, const struct engine_program *program);
uint32_t latency_offset(const struct engine *engine, const struct engine_program *program);
/** They were reported. */
void latency_note(const struct engine *engine, struct engine_program *program);
/** After how long without a call a client takes the engine for hung. */
uint32_t latency_timeout_ms(uint32_t buffer_frames, const struct proto_device *device,
                            uint64_t budget_ns, bool elastic);

/* ---- setup.c ---- */

/** The setup of a profile, or the one of programs without. */
struct engine_setup *setup_find(const struct engine *engine, const char *profile);
/** The device that a program of this profile would play through now. */
void setup_get_device(const struct engine *engine, const char *profile,
                      struct proto_device *device);
/** Puts a setup in force. The device is closed, or about to be opened by the caller. Claimed. */
void setup_force(struct engine *engine, struct engine_setup *setup);
/** True when a configuration wants the device that plays. */
bool setup_wants_this_device(const struct engine *engine, const struct config *wanted);
const char *setup_device_word(const struct config *config);

/* ---- device.c ---- */

/** Waits until no other thread is at work on the device, and keeps others from it until
 * device_release(). What else the lock guards may change while this thread calls the backend. Of
 * device.c, only device_learn() is called without. */
void device_claim(struct engine *engine);
/** The same to list devices alone. The device's cycles go on, and device_guard() watches them. */
void device_claim_to_list(struct engine *engine);
void device_release(struct engine *engine);
/** Opens and starts the device, or changes its period, so that it serves quantum. Errors: the
 * backend's; error: a sentence. */
enum tutti_status device_ensure(struct engine *engine, uint32_t quantum_frames,
                                char error[PROTO_TEXT_BYTES]);
void device_close(struct engine *engine);
/** Lost, back, idle: called by engine_tend(). */
void device_tend(struct engine *engine, uint64_t now_ns);
/** While another thread lists devices or waits for a period, which may take seconds: a device whose
 * cycles have ended is replaced by the own clock. The rest is device_tend()'s, afterwards. */
void device_guard(struct engine *engine);
/** Fills *known from the listing of a configuration's backends while nothing was ever opened. */
void device_learn(const struct config *config, double rate_hz, struct proto_device *known);
/** Reopens the device at another rate, under the program that asked for it. On failure it is lost
 * and tried again at the former rate. Errors: the backend's, UNSUPPORTED_RATE (it took another);
 * error: a sentence. */
enum tutti_status device_change_rate(struct engine *engine, double rate_hz,
                                     char error[PROTO_TEXT_BYTES]);
/** Opens what another setup says, under the programs that play; they are told. On failure the
 * former one is opened again. Errors: the backend's; error: a sentence. */
enum tutti_status device_change(struct engine *engine, struct engine_setup *setup,
                                char error[PROTO_TEXT_BYTES]);

/* For null_device.c, claimed: opens a device and nothing else, in place of engine->stream; stops
 * and closes that; starts it, and it runs the cycle; the state while that is done; gives it up as
 * lost.
 */
enum tutti_status device_open_with(struct engine *engine, const struct backend *backend,
                                   uint32_t quantum_frames, char error[PROTO_TEXT_BYTES]);
void device_close_stream(struct engine *engine);
enum tutti_status device_start_stream(struct engine *engine, char error[PROTO_TEXT_BYTES]);
void device_enter_opening(struct engine *engine);
void device_lose(struct engine *engine, const char *text);

/* ---- null_device.c ---- */

/** Leaves a null device that "auto" took for want of others, if there is another by now: programs
 * go over to it and are told, or, when nobody plays, it is closed. True: it was left. Claimed. */
bool null_device_leave(struct engine *engine);
/** Does so now and then while programs play. Claimed. */
void null_device_tend(struct engine *engine, uint64_t now_ns);

/* ---- period.c: which period the device runs at ---- */

/** The period to run at when a program with this buffer joins (0: nobody joins). */
uint32_t period_choose(const struct engine *engine, uint32_t buffer_frames);
/** What is known of the device, for the period that a program with this buffer would get by
 * joining; profile: of the program. */
void period_forecast(const struct engine *engine, const char *profile, uint32_t buffer_frames,
                     struct proto_device *device);
/** The greatest period that the device can have and that is not above wanted; its smallest, when
 * that is above. */
uint32_t period_snap(const struct proto_device *known, uint32_t wanted);
/** A period was asked for and another one given: it is not asked for again. A server that gives
 * more than it was asked for gives no less than that, and the reverse. Nothing to do when it was
 * given, or none was wanted (0). */
void period_remember_refusal(struct engine *engine, uint32_t wanted, uint32_t given);
/** The device is another, or has changed. */
void period_forget_refusals(struct engine *engine);

/* ---- handover.c: who runs the cycle ---- */

/** A period of the device, on its thread: a cycle, or silence while the gate is shut. */
void handover_cycle(struct engine *engine, const struct backend_cycle *period);
/** The own clock runs the cycle from now on, in silence; the device's cycles are shut out. Nothing
 * to do when it does already. */
void handover_to_clock(struct engine *engine);
/** The own clock, which runs the cycle, goes on at another rate. */
void handover_set_rate(struct engine *engine, double rate_hz);
/** What a stream stores while the gate is shut; before it starts. */
void handover_prepare(struct engine *engine, const struct backend_info *info);
/** The device runs the cycle from now on. Programs that the clock called jump over what passed
 * since, are told, and get their latency on the device as it is now. */
void handover_to_device(struct engine *engine);
/** Nobody runs the cycle: no program is prepared, or the engine ends. */
void handover_to_nobody(struct engine *engine);
/** With an injected clock: the own clock's cycles that are due. */
void handover_step(struct engine *engine, uint64_t now_ns);

/* ---- choice.c ---- */

/** The backends that a configuration allows, one a call, in the order in which they are tried; NULL
 * after the last. *at: 0 at first. */
const struct backend *choice_next(const struct config *config, unsigned *at);
/** Notes why a backend was passed over. why: "" at first. */
void choice_pass_over(const struct backend *backend, const char *error, char why[PROTO_TEXT_BYTES]);
/** True when an opening failed although a device is there: it is busy, refuses us or fails. A
 * silent backend must not take its place, for its silence would look like success. */
bool choice_found_device(enum tutti_status status);
/** A backend was opened. what was noted becomes a sentence if nobody hears that backend although
 * the configuration leaves the choice to us, else "". */
void choice_settle(const struct config *config, const struct backend *backend,
                   char why[PROTO_TEXT_BYTES]);

/** Lists the devices of the configured backend or of all into entries; the number of them. Called
 * with the device claimed and without the lock. */
uint32_t choice_list(struct engine *engine, struct proto_device_entry *entries, uint32_t room);

/* ---- profiles.c ---- */

/** Whether profiles_use() would work now. Errors and error as there. */
enum tutti_status profiles_may_use(const struct engine *engine,
                                   const struct engine_program *program,
                                   char error[PROTO_TEXT_BYTES]);
/** Puts in force what a program's profile wants, when nobody plays; else makes sure that it wants
 * the device that plays. Claimed. Errors: DEVICE_BUSY; error: which plays and which it wants. */
enum tutti_status profiles_use(struct engine *engine, const struct engine_program *program,
                               char error[PROTO_TEXT_BYTES]);
void profiles_fini(struct engine *engine);
/** Notes who asked for the present rate of the setup in force. */
void profiles_note_rate(struct engine *engine, uint32_t program_id);
/** Rates that nobody is left for go back to the configuration's. Claimed. */
void profiles_tend(struct engine *engine, uint64_t now_ns);

/* ---- programs.c ---- */

/** Takes a prepared program off the device; its memory is freed when the cycle has let go. Without
 * the device claimed, too. */
void programs_detach(struct engine *engine, struct engine_program *program);
/** Late programs: overload events; which threads they have; what the cycle did to hogs. */
void programs_tend(struct engine *engine, uint64_t now_ns);
/** The number of a program that keeps the engine's threads waiting, by its doorbell or its memory,
 * and is to be removed: it is told and logged; 0: none. */
uint32_t programs_find_harm(struct engine *engine);

/* ---- hogs.c ---- */

/** Learns the program's callback thread; takes note of priority that the cycle took away, and gives
 * it back after a while without late blocks. */
void hogs_tend(const struct engine *engine, struct engine_program *program, uint64_t now_ns);
/** The cycle has let go of the program. */
void hogs_forget_thread(struct cycle_client *cycle);

/* ---- monitor_control.c ---- */

/** Puts what a prepared program wishes of the direct monitor in force. Errors: NO_MEMORY: all stays
 * as it was. */
enum tutti_status monitor_change(struct engine *engine, struct engine_program *program);
/** The list for the cycle of what a program wishes. NULL: no memory. */
struct cycle_monitor *monitor_new(struct engine *engine, const struct engine_program *program);
/** Lets go of a list that wants nothing and is done fading: the cycle is as if it never was. */
void monitor_tend(struct engine *engine, struct engine_program *program);
/** Gives a program that is about to join what it wished before. Errors: NO_MEMORY. */
enum tutti_status monitor_join(struct engine *engine, struct engine_program *program);

/* ---- plan.c ---- */

/** Who meets where, for the present programs and device. NULL: no memory. */
struct cycle_plan *plan_new(const struct engine *engine);
void plan_free(struct cycle_plan *plan);
/** Zeroed memory whose pages are there: the cycle is the first to touch it. NULL: no memory. */
float *plan_new_ring(size_t samples);
/** True when there is a bus for a source. */
bool plan_has_bus(const struct engine *engine, const struct proto_channel *source);
/** The bus for a source, made when it is the first user. NULL: no memory. */
struct engine_bus *plan_get_bus(struct engine *engine, const struct proto_channel *source);
/** One user less; a bus without users is taken off and its ring returned for retirement. */
float *plan_put_bus(struct engine *engine, const struct proto_channel *source);

#endif
