/* SPDX-License-Identifier: MIT */
/*
 * A tuttid with a weakness, to see that the campaigns find it (test_judges.py). It is the real one,
 * with two functions wrapped at linking; TUTTI_WEAKNESS says which weakness:
 *
 *   abort        it ends when a message is refused
 *   threads      a thread is kept of each message that is refused
 *   descriptors  likewise a descriptor
 *   believe      a segment that was refused is said to be taken
 *   deaf         nobody is answered any more once a message was refused
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/engine.h"

enum tutti_status __real_proto_check(const void *message, size_t message_bytes, bool from_program,
                                     const char **why);
enum tutti_status __wrap_proto_check(const void *message, size_t message_bytes, bool from_program,
                                     const char **why);
enum tutti_status __real_engine_prepare(struct engine *engine, uint32_t program_id,
                                        const struct proto_prepare *message, os_handle segment,
                                        os_handle event, struct proto_prepared *answer,
                                        char text[PROTO_TEXT_BYTES]);
enum tutti_status __wrap_engine_prepare(struct engine *engine, uint32_t program_id,
                                        const struct proto_prepare *message, os_handle segment,
                                        os_handle event, struct proto_prepared *answer,
                                        char text[PROTO_TEXT_BYTES]);

static _Atomic bool deaf;

static bool
has(const char *weakness)
{
    const char *mine = getenv("TUTTI_WEAKNESS");
    return mine && strcmp(mine, weakness) == 0;
}

static void *
stay(void *nothing)
{
    for (;;) {
        pause();
    }
    return nothing;
}

static void
suffer(void)
{
    pthread_t thread;
    if (has("abort")) {
        abort();
    }
    if (has("threads")) {
        (void)pthread_create(&thread, NULL, stay, NULL);
    }
    if (has("descriptors")) {
        (void)dup(0);
    }
    if (has("deaf")) {
        deaf = true;
    }
}

enum tutti_status
__wrap_proto_check(const void *message, size_t message_bytes, bool from_program, const char **why)
{
    enum tutti_status status = __real_proto_check(message, message_bytes, from_program, why);
    if (status != TUTTI_OK) {
        suffer();
    }
    while (deaf) {
        pause();
    }
    return status;
}

enum tutti_status
__wrap_engine_prepare(struct engine *engine, uint32_t program_id,
                      const struct proto_prepare *message, os_handle segment, os_handle event,
                      struct proto_prepared *answer, char text[PROTO_TEXT_BYTES])
{
    enum tutti_status status =
        __real_engine_prepare(engine, program_id, message, segment, event, answer, text);
    return has("believe") ? TUTTI_OK : status;
}
