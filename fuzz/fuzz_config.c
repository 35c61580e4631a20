/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer: any bytes as a configuration file. Whatever they are, every value stays within its
 * limits, a mistake is told with its line, and reading the same again gives the same.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void
check_limits(const struct config *config)
{
#define CHECK_S(section, key, def, what)                                                           \
    require(memchr(config->section##_##key, 0, CONFIG_TEXT_BYTES) != NULL &&                       \
            utf8_check(config->section##_##key, CONFIG_TEXT_BYTES));
#define CHECK_I(section, key, def, min, max, what)                                                 \
    require(config->section##_##key >= (min) && config->section##_##key <= (max));
#define CHECK_B(section, key, def, what) require((unsigned char)config->section##_##key <= 1);
#define CHECK_D(section, key, def, min, max, what)                                                 \
    require(config->section##_##key >= (min) && config->section##_##key <= (max));
    CONFIG_TABLE(CHECK_S, CHECK_I, CHECK_B, CHECK_D)
}

/* The status is BAD_CONFIG exactly when there is a problem, and that names a line of the text. */
static void
check_problem(enum tutti_status status, const char *problem, const uint8_t *data, size_t size)
{
    require(memchr(problem, 0, CONFIG_TEXT_BYTES) != NULL);
    require((status == TUTTI_BAD_CONFIG) == (problem[0] != '\0'));
    require(status == TUTTI_OK || status == TUTTI_BAD_CONFIG);
    if (status == TUTTI_OK) {
        return;
    }
    unsigned line = 0, lines = 1;
    require(sscanf(problem, "text:%u:", &line) == 1);
    for (size_t i = 0; i < size; i++) {
        lines += data[i] == '\n';
    }
    require(line >= 1 && line <= lines);
}

/* Every profile that is listed can be read, and one value changed leaves a text that can. */
static void
check_profiles(const uint8_t *data, size_t size)
{
    static char names[CONFIG_PROFILES][CONFIG_PROFILE_BYTES];
    struct config config;
    char problem[CONFIG_TEXT_BYTES], reason[CONFIG_TEXT_BYTES], name[CONFIG_PROFILE_BYTES];
    struct config_source source = {.name = "text", .text = (const char *)data, .bytes = size};
    unsigned count = config_profiles((const char *)data, size, names);
    require(count <= CONFIG_PROFILES);
    for (unsigned i = 0; i < count && i < 4; i++) {
        require(config_profile_name(names[i], name, reason) && strcmp(name, names[i]) == 0);
        source.profile = names[i];
        check_problem(config_read(&config, &source, problem), problem, data, size);
        check_limits(&config);
    }
    char *text = calloc(1, size + 1);
    require(text != NULL);
    memcpy(text, data, size);
    char *edited = config_edit(text, "log", "level", "debug");
    require(edited != NULL && strstr(edited, "level = debug\n") != NULL);
    free(edited);
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config config, again;
    char problem[CONFIG_TEXT_BYTES], same[CONFIG_TEXT_BYTES];
    /* padding must not differ */
    memset(&config, 0, sizeof(config));
    memset(&again, 0, sizeof(again));
    config_init(&config);
    config_init(&again);
    enum tutti_status status = config_read_text(&config, "text", (const char *)data, size, problem);
    check_limits(&config);
    check_problem(status, problem, data, size);
    require(config_read_text(&again, "text", (const char *)data, size, same) == status);
    require(memcmp(&config, &again, sizeof(config)) == 0 && strcmp(problem, same) == 0);
    check_profiles(data, size);
    return 0;
}
