/* SPDX-License-Identifier: MIT */
/* Which mix a client plays in, and what a new configuration changes. */
#ifndef TUTTI_ENGINE_PROFILES_H
#define TUTTI_ENGINE_PROFILES_H

#include "engine/setup.h"

/** Whether profiles_use() would work now. Errors and error as there. */
enum tutti_status profiles_may_use(const struct engine *engine, const struct engine_client *client,
                                   char error[PROTO_TEXT_BYTES]);
/** Finds or makes the mix of what a client's profile wants. Claimed. Errors: DEVICE_BUSY (as many
 * devices play as can), NO_MEMORY; error: a sentence. */
enum tutti_status profiles_use(struct engine *engine, const struct engine_client *client,
                               struct mix **mix, char error[PROTO_TEXT_BYTES]);
void profiles_fini(struct engine *engine);
/** Notes who asked for the present rate of the setup in force. */
void profiles_note_rate(struct mix *mix, uint32_t program_id);
/** Rates of clients that have left go back to the configuration's; mixes that nobody needs end.
 * Claimed. */
void profiles_tend(struct engine *engine, uint64_t now_ns);

#endif
