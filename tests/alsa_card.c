/* SPDX-License-Identifier: MIT */
/* The test's side of the ALSA card without hardware. */
#include "alsa_card.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char folder[64], config_path[96], control_path[96];

bool
alsa_card_available(char reason[256])
{
    void *library = dlopen("libasound.so.2", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        snprintf(reason, 256, "libasound is not installed (package libasound2)");
        return false;
    }
    dlclose(library);
    return true;
}

static void
fail(const char *what)
{
    perror(what);
    abort();
}

static void
write_config(void)
{
    static const char *const formats[] = {"FLOAT_LE", "S32_LE", "S24_3LE", "S24_LE", "S16_LE"};
    FILE *file = fopen(config_path, "w");
    if (!file) {
        fail(config_path);
    }
    fprintf(file, "pcm_type.tutti_test { lib \"%s\" }\n", ALSA_PLUGIN);
    const struct {
        const char *name, *more;
    } pcms[] = {{"card", ""},
                {"card_rw", "access rw"},
                {"card_planar", "access planar"},
                {"cable", "cable 37"},
                {"long", "buffer 8192"}};
    for (unsigned i = 0; i < sizeof(pcms) / sizeof(pcms[0]); i++) {
        fprintf(file, "pcm.%s { type tutti_test control \"%s\" channels %d %s }\n", pcms[i].name,
                control_path, ALSA_CARD_CHANNELS, pcms[i].more);
    }
    for (unsigned i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        fprintf(file, "pcm.card_%s { type tutti_test control \"%s\" channels %d format %s }\n",
                formats[i], control_path, ALSA_CARD_CHANNELS, formats[i]);
    }
    if (fclose(file) != 0) {
        fail(config_path);
    }
}

struct alsa_card *
alsa_card_make(void)
{
    snprintf(folder, sizeof(folder), "/tmp/tutti-test-alsa-XXXXXX");
    if (!mkdtemp(folder)) {
        fail(folder);
    }
    snprintf(config_path, sizeof(config_path), "%s/asound.conf", folder);
    snprintf(control_path, sizeof(control_path), "%s/card", folder);
    write_config();
    setenv("ALSA_CONFIG_PATH", config_path, 1);
    int fd = open(control_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(struct alsa_card)) != 0) {
        fail(control_path);
    }
    struct alsa_card *card = mmap(NULL, sizeof(*card), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (card == MAP_FAILED) {
        fail(control_path);
    }
    atomic_store(&card->plugged, 1);
    return card;
}

void
alsa_card_remove(struct alsa_card *card)
{
    if (card) {
        munmap(card, sizeof(*card));
        unlink(config_path);
        unlink(control_path);
        rmdir(folder);
    }
}
