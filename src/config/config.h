/* SPDX-License-Identifier: MIT */
/*
 * The configuration: one INI file, read whole, every key known by one table (CONFIG_TABLE). A
 * mistake leaves the last good value in place and is reported with its line and the reason. A
 * section [profile NAME] holds values of any key, written as section.key, that count over the
 * others for programs that open that profile. Values can be overridden by environment variables for
 * tests and scripts: TUTTI_SIM_PERIOD=64 overrides period in [sim].
 */
#ifndef TUTTI_CONFIG_H
#define TUTTI_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/alsa/alsa_keys.h"
#include "backend/jack/jack_keys.h"
#include "backend/pipewire/pipewire_keys.h"
#include "backend/sim/sim_keys.h"
#include "tutti/status.h"

enum {
    CONFIG_TEXT_BYTES = 256,
    CONFIG_PROFILE_BYTES = 26, /* of a profile's name: "Tutti " before it makes 31 characters */
    CONFIG_PROFILES = 64,      /* more sections than that are not listed */
    CONFIG_CHANNELS = 256,
    CONFIG_BUFFER_FRAMES = 8192, /* the engine takes no larger buffer of a program */
    CONFIG_FILE_BYTES = 1 << 20, /* a longer file is none */
};

/*
 * S(section, key, default, what) a text; I(section, key, default, min, max, what) a whole number;
 * B(section, key, default, what) yes/no; D(section, key, default, min, max, what) a number with a
 * fraction.
 */
#define CONFIG_TABLE(S, I, B, D)                                                                   \
    S(device, backend, "auto", "how to reach the device: auto, pipewire, jack, alsa, sim, wasapi") \
    S(device, name, "", "the device's name as 'tutti devices' shows it; empty: the default")       \
    D(device, rate, 48000, 8000, 768000, "sample rate in Hz")                                      \
    I(device, period, 0, 0, 4096,                                                                  \
      "pins the period in frames; 0: the smallest buffer of the programs")                         \
    I(engine, grace_ms, 10000, 0, 3600000, "the engine leaves this long after the last program")   \
    I(engine, reserve_us, 0, 0, 100000, "kept back from a cycle's budget for mixing; 0: measured") \
    I(engine, pin_cpu, -1, -1, 1023, "processor of the engine's cycle thread; -1: any")            \
    S(engine, placement, "auto",                                                                   \
      "auto: light programs run on the engine's processor where that is measured to be faster; "   \
      "free: the system places all threads; gathered: on the engine's processor unmeasured")       \
    I(program, buffer, 256, 16, CONFIG_BUFFER_FRAMES, "preferred buffer size in frames")           \
    I(program, buffer_min, 32, 1, CONFIG_BUFFER_FRAMES, "smallest buffer size offered to hosts")   \
    I(program, buffer_max, 2048, 1, CONFIG_BUFFER_FRAMES, "largest buffer size offered to hosts")  \
    I(program, buffer_step, 0, 0, 4096,                                                            \
      "sizes go up in steps of this; 0: powers of two where the three above are, else all")        \
    B(program, buffer_fixed, false,                                                                \
      "offer the device's period alone where it has only one, as servers do")                      \
    I(program, inputs, 32, 0, 256, "most input channels offered to hosts")                         \
    I(program, outputs, 32, 0, 256, "most output channels offered to hosts")                       \
    S(program, input_channels, "",                                                                 \
      "the device's inputs that hosts see, counted from 1, such as 1-2, 5; empty: all in order")   \
    S(program, output_channels, "", "the device's outputs that hosts see, likewise")               \
    S(program, input_names, "",                                                                    \
      "names of the inputs that hosts see, in order, with commas between; empty: In 1, In 2, ...") \
    S(program, output_names, "", "names of the outputs, likewise")                                 \
    S(program, sample_type, "int32",                                                               \
      "of the samples in hosts' buffers: int32, float32 (written in shared memory, with values "   \
      "above 0 dBFS), int24, int16, float64")                                                      \
    B(program, late_take, false,                                                                   \
      "wait for the host's next call before taking a block (+1 buffer)")                           \
    B(program, tight, false, "buffers above the period answer within one period")                  \
    S(program, dsd, "no",                                                                          \
      "DSD for hosts, sent to a device that decodes DoP: no, msb or lsb (the first bit of a "      \
      "byte)")                                                                                     \
    CONFIG_KEYS_PIPEWIRE(S, I, B, D)                                                               \
    CONFIG_KEYS_JACK(S, I, B, D)                                                                   \
    CONFIG_KEYS_ALSA(S, I, B, D)                                                                   \
    CONFIG_KEYS_SIM(S, I, B, D)                                                                    \
    S(log, level, "info", "error, warning, info, debug")                                           \
    I(log, size_kib, 1024, 16, 1048576, "a log file that is longer is put aside")                  \
    I(log, keep, 3, 0, 20, "log files that are kept beside the present one")

/* One field per key: config->section_key. */
struct config {
#define CONFIG_S(section, key, def, what) char section##_##key[CONFIG_TEXT_BYTES];
#define CONFIG_I(section, key, def, min, max, what) int32_t section##_##key;
#define CONFIG_B(section, key, def, what) bool section##_##key;
#define CONFIG_D(section, key, def, min, max, what) double section##_##key;
    CONFIG_TABLE(CONFIG_S, CONFIG_I, CONFIG_B, CONFIG_D)
#undef CONFIG_S
#undef CONFIG_I
#undef CONFIG_B
#undef CONFIG_D
};

/* What to read. Zeroed: nothing. Borrowed for the call. */
struct config_source {
    const char *name; /* stands for the file in a problem */
    const char *text;
    size_t bytes;
    const char *profile;       /* whose values count over the others'; NULL or "": nobody's */
    const struct config *last; /* its values stay where the text has mistakes; NULL: the defaults */
    const char *backends;      /* "auto, alsa, ...": that [device] backend may name; NULL: all */
    bool profile_alone;        /* mistakes outside of the profile are not reported again */
    /** Every mistake, the first one too, as in problem. NULL: they are not wanted. */
    void (*mistake)(void *user, const char *sentence);
    void *user;
    /** false when unset; NULL: no environment */
    bool (*getenv_utf8)(const char *name, char *value, size_t bytes);
};

/** Every value at its default. */
void config_init(struct config *config);

/** Sets every value: the default, over it the text's, the profile's, the environment's. A profile
 * that the text has not is no mistake; what other profiles hold is not looked at. problem: the
 * first mistake as "NAME:LINE: reason; the value that stays", or "". Errors: BAD_CONFIG when there
 * was one; all other keys are read all the same. Pure but for the environment. */
enum tutti_status config_read(struct config *config, const struct config_source *source,
                              char problem[CONFIG_TEXT_BYTES]);

/** Reads a file for config_read(). One that is not there is empty. *text: the caller's to free().
 * Errors: BAD_CONFIG, with the reason in problem. Never in the cycle. */
enum tutti_status config_load(const char *path, char **text, size_t *bytes,
                              char problem[CONFIG_TEXT_BYTES]);

/** "NAME: reason" of a file that cannot be read, as config_load() writes it. */
void config_write_problem(char problem[CONFIG_TEXT_BYTES], const char *path, const char *reason);

/** True when there is no such file but one with ".txt" behind its name, as Windows' Notepad saves
 * it. problem: what to do. */
bool config_is_misnamed(const char *path, char problem[CONFIG_TEXT_BYTES]);

/** Reads a text over the present values, without profile and environment; name stands for the file
 * in problem. Errors: as config_read(). */
enum tutti_status config_read_text(struct config *config, const char *name, const char *text,
                                   size_t bytes, char problem[CONFIG_TEXT_BYTES]);

/** Sets one value from text, checked against the table. Errors: BAD_CONFIG with the reason in
 * problem. */
enum tutti_status config_set(struct config *config, const char *section, const char *key,
                             const char *value, char problem[CONFIG_TEXT_BYTES]);

/** True when every value of a section is the same in both. */
bool config_same(const struct config *a, const struct config *b, const char *section);

/** Where this user's configuration lies: $TUTTI_CONFIG, else on Windows %APPDATA%\Tutti\tutti.ini,
 * else, and under Wine, $XDG_CONFIG_HOME/tutti/tutti.ini, else $HOME/.config/tutti/tutti.ini; as
 * found by getenv_utf8. False when none is set or path is too small. */
bool config_default_path(bool (*getenv_utf8)(const char *name, char *value, size_t bytes),
                         char *path, size_t path_bytes);

/** The same on Windows or elsewhere. Pure. */
bool config_path_on(bool windows, bool (*getenv_utf8)(const char *name, char *value, size_t bytes),
                    char *path, size_t path_bytes);

/* ---- config_profile.c: names, channels, changes of a text ---- */

/** A profile's name as it was written, without quotes, spaces around it and a leading "Tutti ":
 * printable ASCII, at most 25 characters, none of \ / [ ] " , ; # =. False: reason says what is
 * wrong. Pure, like all that follows. */
bool config_profile_name(const char *written, char name[CONFIG_PROFILE_BYTES],
                         char reason[CONFIG_TEXT_BYTES]);
/** True for the same profile: names differ by more than case. */
bool config_profile_same(const char *a, const char *b);
/** The name in a section's title "profile NAME"; false when the title is another. reason: "" or
 * what is wrong with the name. */
bool config_profile_title(const char *title, char name[CONFIG_PROFILE_BYTES],
                          char reason[CONFIG_TEXT_BYTES]);
/** The profiles of a text, each once; returns how many, at most CONFIG_PROFILES. */
unsigned config_profiles(const char *text, size_t bytes,
                         char names[CONFIG_PROFILES][CONFIG_PROFILE_BYTES]);

/** Channels such as "1-2, 5" as numbers from 0; "" is none. repeats: a channel may stand there more
 * than once. False when it is no such list. */
bool config_channels(const char *text, bool repeats, uint16_t channels[CONFIG_CHANNELS],
                     unsigned *count);
/** The index-th of names with commas between, without the spaces around it; false when there is
 * none or it is empty. */
bool config_list_item(const char *text, unsigned index, char *item, size_t item_bytes);

/** The text with one value changed or added, everything else as it was. NULL: no memory. The
 * caller's to free(). */
char *config_edit(const char *text, const char *section, const char *key, const char *value);

#endif
