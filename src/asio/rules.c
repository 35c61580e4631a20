/* SPDX-License-Identifier: MIT */
/* The tables of rules.h and their three questions. */
#include "asio/rules.h"

const struct rule rules[CALL_COUNT] = {
#define RULES_ROW(name, text, states, alone, loaded, later, why)                                   \
    {text, states, alone, loaded, later},
    RULES_TABLE(RULES_ROW)
#undef RULES_ROW
};

static const uint8_t followers[STATE_COUNT] = {
    [STATE_LOADED] = IN_INITIALIZED,
    [STATE_INITIALIZED] = IN_PREPARED,
    [STATE_PREPARED] = IN_RUNNING | IN_INITIALIZED,
    [STATE_RUNNING] = IN_PREPARED,
};

int32_t
rules_check(enum call call, enum state state)
{
    if (rules[call].states & 1u << state) {
        return ASIO_OK;
    }
    return state == STATE_LOADED ? rules[call].loaded : rules[call].later;
}

bool
rules_may_enter(enum state from, enum state to)
{
    return (followers[from] & 1u << to) != 0;
}

const char *
rules_state_text(enum state state)
{
    static const char *const texts[STATE_COUNT] = {
        [STATE_LOADED] = "the driver is not initialised",
        [STATE_INITIALIZED] = "there are no buffers",
        [STATE_PREPARED] = "buffers exist, nothing runs",
        [STATE_RUNNING] = "it runs",
    };
    return texts[state];
}
