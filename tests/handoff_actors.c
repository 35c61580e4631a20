/* SPDX-License-Identifier: MIT */
/*
 * The world's actors. The engine is mixer/cycle.c and mixer/client_slot.c without samples, the
 * program is client/callback.c without a host: they call the real handoff.c, which is compiled here
 * with its atomic accesses leading into the world.
 */
#include "handoff_steps.h"

#include <string.h>

#define STEP_LOAD(word, order) world_load(word)
#define STEP_STORE(word, value, order) world_store(word, value, order)
#define STEP_EXCHANGE(word, value) world_exchange(word, value)
#define STEP_FETCH_SUB(word, value) world_fetch_sub(word, value)

#include "../src/proto/handoff.c"

enum { RECOUNTS = 8 }; /* as the engine's */

/* ---- the engine ---- */

enum engine_phase { ENGINE_BEGIN, ENGINE_CALL, ENGINE_COUNT, ENGINE_LOOK, ENGINE_END, ENGINE_MIX };

static bool
bursts(void)
{
    return scenario->bursts != 0;
}

bool
is_awaited(const struct world_engine *engine, unsigned p)
{
    const struct engine_half *half = engine->program[p].half;
    return (half[0].state == HALF_ISSUED && half[0].need <= engine->cycle) ||
           (half[1].state == HALF_ISSUED && half[1].need <= engine->cycle);
}

static void
take_half(unsigned p, struct engine_half *half)
{
    take_back(p, half->seq);
    half->state = half->state == HALF_ISSUED && !bursts() ? HALF_DONE : HALF_FREE;
}

static unsigned
collect(struct world_engine *engine, unsigned p)
{
    unsigned taken = 0;
    for (unsigned h = 0; h < 2; h++) {
        struct engine_half *half = &engine->program[p].half[h];
        if ((half->state == HALF_ISSUED || half->state == HALF_DROPPED) &&
            handoff_is_done(&segments[p], half->seq)) {
            take_half(p, half);
            taken++;
        }
    }
    return taken;
}

static void
look_after_arming(struct world_engine *engine, unsigned p)
{
    if (scenario->flaw != FLAW_ARM_UNLOOKED) {
        collect(engine, p);
    }
}

static void
arm(struct world_engine *engine, unsigned p)
{
    handoff_arm(&segments[p], bursts() ? PROTO_ARMED_WAKE : PROTO_ARMED_COUNT);
    engine->program[p].waited = 1;
}

static unsigned
call(struct world_engine *engine, unsigned p)
{
    struct engine_view *view = &engine->program[p];
    unsigned calls = 0;
    while (view->state == VIEW_RUNNING && view->due) {
        struct engine_half *half = &view->half[view->next_seq & 1];
        if (half->state != HALF_FREE) {
            break;
        }
        give(p, view->next_seq);
        *half =
            (struct engine_half){HALF_ISSUED, view->next_seq, engine->cycle + scenario->late_take};
        handoff_issue(&segments[p], view->next_seq);
        view->next_seq++;
        view->due--;
        calls++;
    }
    if (calls) {
        step(ACCESS_ADD, word_of(p, WORD_DOORBELL), 1);
    }
    return calls;
}

static void
begin_cycle(struct world_engine *engine, unsigned p)
{
    struct engine_view *view = &engine->program[p];
    uint32_t run = step(ACCESS_LOAD, word_of(p, WORD_RUN), 0);
    view->waited = 0;
    view->due = 0;
    if (run != view->run) {
        view->run = run;
        view->state = VIEW_STOPPED;
        memset(view->half, 0, sizeof(view->half));
        if (run & 1) {
            take_both(p);
            view->next_seq = step(ACCESS_LOAD, word_of(p, WORD_START), 0);
            view->state = VIEW_RUNNING;
        }
    }
    if (view->state == VIEW_STOPPED) {
        return;
    }
    collect(engine, p);
    bool next_free = view->half[view->next_seq & 1].state == HALF_FREE;
    bool other_free = view->half[~view->next_seq & 1].state == HALF_FREE;
    if (view->state == VIEW_LATE && next_free && (other_free || scenario->late_take)) {
        view->state = VIEW_RUNNING;
    }
    view->due = bursts() ? scenario->bursts : 1;
}

static bool
expects(const struct world_engine *engine, unsigned p)
{
    const struct engine_view *view = &engine->program[p];
    return view->state != VIEW_STOPPED &&
           (is_awaited(engine, p) || (view->state == VIEW_RUNNING && !scenario->late_take));
}

static void
call_one(struct world_engine *engine, unsigned p)
{
    begin_cycle(engine, p);
    bool expected = expects(engine, p);
    if (expected && scenario->flaw != FLAW_ARM_AFTER_CALL) {
        arm(engine, p);
        look_after_arming(engine, p);
    }
    call(engine, p);
    if (expected && scenario->flaw == FLAW_ARM_AFTER_CALL) {
        arm(engine, p);
    }
    if (!expected) {
        return;
    }
    if (bursts()) {
        engine->bursting++;
    } else if (is_awaited(engine, p) || handoff_disarm(&segments[p]) == PROTO_ARMED_NOT) {
        engine->counted++;
    }
}

static uint32_t
continue_bursts(struct world_engine *engine)
{
    uint32_t bursting = 0;
    for (unsigned p = 0; p < scenario->programs; p++) {
        if (!engine->program[p].waited) {
            continue;
        }
        do {
            arm(engine, p);
        } while (collect(engine, p) + call(engine, p) != 0 && !is_over());
        bursting += is_awaited(engine, p);
    }
    return bursting;
}

static uint32_t
recount(struct world_engine *engine)
{
    uint32_t counted = 0;
    handoff_count_begin(&page);
    for (unsigned p = 0; p < scenario->programs; p++) {
        if (!engine->program[p].waited) {
            continue;
        }
        collect(engine, p);
        if (!is_awaited(engine, p)) {
            continue;
        }
        arm(engine, p);
        look_after_arming(engine, p);
        if (is_awaited(engine, p) || handoff_disarm(&segments[p]) == PROTO_ARMED_NOT) {
            counted++;
        }
    }
    return handoff_count_end(&page, counted) ? 0 : counted;
}

static bool
anybody_awaited(struct world_engine *engine)
{
    bool awaited = false;
    for (unsigned p = 0; p < scenario->programs; p++) {
        struct engine_view *view = &engine->program[p];
        for (unsigned h = 0; scenario->flaw == FLAW_TRUST_COUNT && h < 2; h++) {
            if (view->half[h].state == HALF_ISSUED && view->half[h].need <= engine->cycle) {
                take_half(p, &view->half[h]);
            }
        }
        if (view->waited) {
            collect(engine, p);
            awaited |= is_awaited(engine, p);
        }
    }
    return awaited;
}

static bool
is_counted_now(void)
{
    return scenario->flaw == FLAW_COUNT_AT_ZERO ? step(ACCESS_LOAD, WORD_PENDING, 0) == 0
                                                : handoff_is_counted(&page);
}

/* Once around the engine's waiting. */
static void
look(struct world_engine *engine)
{
    uint32_t seen = scenario->flaw == FLAW_SEEN_LATE ? 0 : step(ACCESS_LOAD, WORD_WAKE, 0);
    if (engine->bursting) {
        engine->bursting = continue_bursts(engine);
    }
    if (!engine->all_counted && scenario->flaw != FLAW_COUNT_UNLOOKED) {
        engine->all_counted = is_counted_now();
    }
    if (!engine->bursting && engine->all_counted) {
        if (!anybody_awaited(engine)) {
            engine->phase = ENGINE_END;
            return;
        }
        if (engine->recounts < RECOUNTS) {
            engine->recounts++;
            if (in_earnest()) {
                real_world()->recounts = 1;
            }
            engine->all_counted = recount(engine) == 0;
            return;
        }
    }
    if (engine->expired) {
        engine->phase = ENGINE_END;
        return;
    }
    if (scenario->flaw == FLAW_SEEN_LATE) {
        seen = step(ACCESS_LOAD, WORD_WAKE, 0);
    }
    engine->expired = step(ACCESS_WAIT, WORD_WAKE, seen);
    if (scenario->flaw == FLAW_COUNT_UNLOOKED) {
        engine->all_counted = 1;
    }
}

static void
end_wait(struct world_engine *engine, unsigned p)
{
    struct engine_view *view = &engine->program[p];
    if (view->waited) {
        handoff_disarm(&segments[p]);
        if (in_earnest() && real_world()->armed[p]) {
            broken("an arming outlives its cycle");
        }
    }
    if (view->state == VIEW_STOPPED) {
        return;
    }
    collect(engine, p);
    for (unsigned h = 0; h < 2; h++) {
        struct engine_half *half = &view->half[h];
        if (half->state == HALF_ISSUED && half->need <= engine->cycle) {
            half->state = HALF_DROPPED;
            view->state = VIEW_LATE;
        }
    }
}

static void
mix(struct world_engine *engine, unsigned p)
{
    for (unsigned h = 0; h < 2; h++) {
        struct engine_half *half = &engine->program[p].half[h];
        if (half->state == HALF_DONE) {
            step(ACCESS_PAUSE, WORD_COUNT, 0);
            if (in_earnest() && (real_world()->truth[p][h].owner != TRUTH_ENGINE ||
                                 real_world()->truth[p][h].out != half->seq)) {
                broken("the engine mixes a half that is not its own");
            }
            half->state = HALF_FREE;
        }
    }
}

static void
for_next_program(struct world_engine *engine, enum engine_phase then)
{
    if (++engine->program_at == scenario->programs) {
        engine->program_at = 0;
        engine->phase = then;
    }
}

static void
end_cycle(struct world_engine *engine)
{
    engine->cycle++;
    engine->phase = ENGINE_BEGIN;
    engine->gone = engine->cycle == scenario->cycles;
    engine->counted = engine->bursting = engine->all_counted = 0;
    engine->recounts = engine->expired = 0;
}

void
actor_engine(struct world_engine *engine)
{
    switch ((enum engine_phase)engine->phase) {
    case ENGINE_BEGIN:
        handoff_count_begin(&page);
        engine->phase = ENGINE_CALL;
        break;
    case ENGINE_CALL:
        call_one(engine, engine->program_at);
        for_next_program(engine, ENGINE_COUNT);
        break;
    case ENGINE_COUNT:
        engine->all_counted = handoff_count_end(&page, engine->counted);
        engine->phase = engine->counted || engine->bursting ? ENGINE_LOOK : ENGINE_END;
        break;
    case ENGINE_LOOK:
        look(engine);
        break;
    case ENGINE_END:
        end_wait(engine, engine->program_at);
        for_next_program(engine, ENGINE_MIX);
        break;
    case ENGINE_MIX:
        mix(engine, engine->program_at);
        for_next_program(engine, ENGINE_BEGIN);
        if (engine->phase == ENGINE_BEGIN) {
            end_cycle(engine);
        }
        break;
    }
}

/* ---- a program ---- */

enum program_phase { PROGRAM_WAIT, PROGRAM_WORK, PROGRAM_STOP, PROGRAM_START };

static void
hand_back(unsigned p, uint32_t seq)
{
    hands_back(seq);
    if (handoff_done(&segments[p], &page, seq)) {
        step(ACCESS_ADD, WORD_WAKE, 1);
    }
}

static bool
complete_open(unsigned p)
{
    uint32_t token = step(ACCESS_EXCHANGE, word_of(p, WORD_OPEN), 0);
    if (token) {
        hand_back(p, token >> 1);
    }
    return token != 0;
}

static void
wait_for_call(struct world_program *program, unsigned p)
{
    uint32_t seen = step(ACCESS_LOAD, word_of(p, WORD_DOORBELL), 0);
    bool called = handoff_begin(&segments[p], program->next_seq);
    bool open = false;
    if (scenario->ready_thread) {
        step(ACCESS_STORE, word_of(p, WORD_DEFERRED), called);
        open = step(ACCESS_LOAD, word_of(p, WORD_OPEN), 0) != 0;
    }
    if (called && !open) {
        hold(p, program->next_seq);
        program->phase = PROGRAM_WORK;
        return;
    }
    step(ACCESS_WAIT, word_of(p, WORD_DOORBELL), seen);
}

static void
work(struct world_program *program, unsigned p)
{
    uint32_t seq = program->next_seq++;
    program->calls++;
    program->phase = p == 0 && program->calls == scenario->restart_at ? PROGRAM_STOP : PROGRAM_WAIT;
    if (scenario->flaw == FLAW_DONE_EARLY) {
        hand_back(p, seq);
    }
    step(ACCESS_PAUSE, WORD_COUNT, 0);
    if (scenario->late_take) {
        if (program->have_previous) {
            let_go(p, seq - 1);
            hand_back(p, seq - 1);
        }
        program->have_previous = 1;
        return;
    }
    let_go(p, seq);
    if (scenario->ready_thread) {
        step(ACCESS_STORE, word_of(p, WORD_OPEN), seq << 1 | 1);
        complete_open(p);
    } else if (scenario->flaw != FLAW_DONE_EARLY) {
        hand_back(p, seq);
    }
}

static void
stop(struct world_program *program, unsigned p)
{
    step(ACCESS_STORE, word_of(p, WORD_RUN), 0);
    program->phase = PROGRAM_START;
    if (scenario->late_take && program->have_previous) {
        let_go(p, program->next_seq - 1);
        hand_back(p, program->next_seq - 1);
    }
    program->have_previous = 0;
    bool called = handoff_begin(&segments[p], program->next_seq);
    if (called) {
        hold(p, program->next_seq);
        step(ACCESS_PAUSE, WORD_COUNT, 0);
        let_go(p, program->next_seq);
        hand_back(p, program->next_seq++);
    }
    if (scenario->flaw != FLAW_SEQ_AGAIN) {
        program->next_seq = (program->next_seq + 3) & ~UINT32_C(1);
    }
}

void
actor_start(struct world_program *program, unsigned p)
{
    program->starts++;
    handoff_reset(&segments[p], program->next_seq);
    step(ACCESS_WEAK_STORE, word_of(p, WORD_START), program->next_seq);
    step(ACCESS_STORE, word_of(p, WORD_RUN), program->starts * 2 - 1);
    program->phase = PROGRAM_WAIT;
}

void
actor_program(struct world_program *program, unsigned p)
{
    switch ((enum program_phase)program->phase) {
    case PROGRAM_WAIT:
        wait_for_call(program, p);
        break;
    case PROGRAM_WORK:
        work(program, p);
        break;
    case PROGRAM_STOP:
        stop(program, p);
        break;
    case PROGRAM_START:
        actor_start(program, p);
        break;
    }
}

/* The host's other thread. */
void
actor_ready(unsigned p)
{
    step(ACCESS_WAIT, word_of(p, WORD_OPEN), 0);
    if (complete_open(p) && step(ACCESS_LOAD, word_of(p, WORD_DEFERRED), 0)) {
        step(ACCESS_ADD, word_of(p, WORD_DOORBELL), 1);
    }
}

/* Counts though nobody armed it, as a program does whose thread stood still for a cycle. */
void
actor_intruder(void)
{
    if (step(ACCESS_ADD, WORD_PENDING, UINT32_MAX) == 1) {
        step(ACCESS_ADD, WORD_WAKE, 1);
    }
}
