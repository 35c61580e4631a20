/* SPDX-License-Identifier: MIT */
/*
 * A sound card for ALSA without hardware: alsa_ioplug.c is the plugin that libasound loads into the
 * process under test, this is how a test brings it up and troubles it. Both share a page of memory.
 * What is played comes back in the inputs, a cable later.
 */
#ifndef TUTTI_TEST_ALSA_CARD_H
#define TUTTI_TEST_ALSA_CARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { ALSA_CARD_CHANNELS = 4, ALSA_CARD_CABLE = 37 };

/* Written by the test, read by the plugin, but for the last two. */
struct alsa_card {
    _Atomic uint32_t plugged;
    _Atomic uint32_t xruns;    /* so many were ordered: each stops what runs, with EPIPE */
    _Atomic uint32_t suspends; /* likewise, with ESTRPIPE */
    _Atomic uint32_t asleep;   /* it cannot be prepared yet */
    _Atomic uint32_t stands;   /* its clock stands still */
    _Atomic uint32_t broken;   /* times that a running PCM was stopped by such an order */
    _Atomic uint32_t starts;   /* of PCMs */
};

/** False: the plugin or libasound is not here; reason says which. */
bool alsa_card_available(char reason[256]);
/** A card in a folder of its own, plugged in. $ALSA_CONFIG_PATH of this process, and of those that
 * it starts, leads to it. PCMs: "card" (all formats, mapped), "card_rw", "card_planar",
 * "card_FORMAT" with FORMAT S16_LE …, "cable" with ALSA_CARD_CABLE frames of cable, and "long",
 * whose buffer is longer than two periods. */
struct alsa_card *alsa_card_make(void);
/** Removes the folder. NULL is fine. */
void alsa_card_remove(struct alsa_card *card);

#endif
