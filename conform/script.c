/* SPDX-License-Identifier: MIT */
/* Goes through the script of a host, step by step. See script.h. */
#include "conform/script_player.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- saying what is wrong ---- */

void
script_fail(struct script_player *player, const char *what, const char *why)
{
    conform_fail(player->t, "%s, step %u: %s %s", player->script->host, player->step + 1, what,
                 why);
    player->ended = true;
}

static unsigned
set_of(int32_t answer)
{
    switch (answer) {
    case ASIO_OK:
        return ANSWER_OK;
    case ASIO_SUCCESS:
        return ANSWER_SUCCESS;
    default:
        break;
    }
    if (answer < ASIO_NOT_PRESENT || answer > ASIO_NO_MEMORY) {
        return 0;
    }
    return (unsigned)ANSWER_NOT_PRESENT << (answer - ASIO_NOT_PRESENT);
}

void
script_judge(struct script_player *player, const char *what, int32_t answer)
{
    unsigned allowed = player->script->steps[player->step].allowed;
    char text[128];

    if (set_of(answer) & (allowed ? allowed : ANSWER_OK)) {
        return;
    }
    snprintf(text, sizeof(text), "answered %s", conform_error_text(answer));
    script_fail(player, what, text);
}

/* ---- the player ---- */

static void
play(void *arg)
{
    struct script_player *player = arg;

    for (; player->step < player->script->count && !player->ended; player->step++) {
        script_take_step(player);
    }
    /* A script that came to its end has released what it created. */
    for (unsigned i = 0; i < SCRIPT_OBJECTS; i++) {
        script_writer_forget(&player->writer);
        subject_close(player->subjects[i]);
        player->subjects[i] = NULL;
    }
}

void
script_run(struct conform *t, const struct script *script)
{
    struct script_player *player = calloc(1, sizeof(*player));

    if (!player || !script_writer_open(&player->writer)) {
        conform_fail(t, "no memory for a player");
        return;
    }
    player->t = t;
    player->script = script;
    if (script->apartment == APARTMENT_NONE) {
        play(player);
    } else if (!conform_on_thread(t, script->apartment, CONFORM_CASE_S, play, player)) {
        return; /* its thread still uses all this */
    }
    script_writer_close(&player->writer);
    free(player);
}
