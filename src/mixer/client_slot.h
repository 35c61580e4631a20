/* SPDX-License-Identifier: MIT */
/*
 * One client within the cycle: its blocks, its halves, its output. Real time.
 */
#ifndef TUTTI_CLIENT_SLOT_H
#define TUTTI_CLIENT_SLOT_H

#include "mixer/cycle.h"

/** Sees whether the client started or stopped, takes what it handed back, lets a late one in
 * again. */
void client_slot_begin_cycle(struct cycle *cycle, struct cycle_client *client);
/** True when this cycle's mix needs a block that is out, or that client_slot_call() will give out
 * now.
 */
bool client_slot_expects(const struct cycle *cycle, const struct cycle_client *client);
/** True when several of its blocks fall into one quantum, so that it is called again as soon as it
 * has answered. */
bool client_slot_bursts(const struct cycle *cycle, const struct cycle_client *client);
/** Gives the client every block that is due and for which a half is free; the number of calls. */
unsigned client_slot_call(struct cycle *cycle, struct cycle_client *client);
/** Takes blocks that were handed back; their number. */
unsigned client_slot_collect(struct cycle_client *client);
/** True while a block that this cycle's mix needs is not handed back. */
bool client_slot_is_awaited(const struct cycle *cycle, const struct cycle_client *client);
/** The deadline passed: what is not here is left out. */
void client_slot_end_wait(struct cycle *cycle, struct cycle_client *client, enum late_cause cause);
/** The cycle's window was mixed: frees what it used. */
void client_slot_end_cycle(struct cycle *cycle, struct cycle_client *client);
/** Frames [cycle->pos, to) are skipped. gap: because the device reopened. */
void client_slot_skip(struct cycle *cycle, struct cycle_client *client, int64_t to, bool gap);
/** After a gap: the client's blocks line up with the periods again (its position falls behind by
 * less than a period), so that any offset that is feasible for one that joins is for it, too.
 * Control, while no cycle can run. */
void client_slot_resume(const struct cycle *cycle, struct cycle_client *client, uint32_t offset,
                        uint32_t input_delay);
/** The quantum changed to cycle->quantum. */
void client_slot_set_quantum(struct cycle *cycle, struct cycle_client *client);

#endif
