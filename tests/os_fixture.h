/* SPDX-License-Identifier: MIT */
/* What the tests of the os room share: a runtime folder of their own, and moments from now. */
#ifndef TUTTI_TESTS_OS_FIXTURE_H
#define TUTTI_TESTS_OS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "os/os.h"

/* Long enough for any machine: only what went wrong gets there. */
enum { FIXTURE_PATIENCE_MS = 20000 };

static inline uint64_t
fixture_in_ms(unsigned ms)
{
    return os_now_ns() + (uint64_t)ms * OS_NS_PER_MS;
}

static inline uint64_t
fixture_patience(void)
{
    return fixture_in_ms(FIXTURE_PATIENCE_MS);
}

/* The runtime folder lies beside the test program and is named after it, so that tests can run at
 * once. */
static inline void
fixture_use_own_runtime_dir(const char *suffix)
{
    static char setting[4200];
    char module[4000];
    if (os_module_path(module, sizeof(module)) != TUTTI_OK) {
        abort();
    }
    snprintf(setting, sizeof(setting), "TUTTI_RUNTIME_DIR=%s.%s", module, suffix);
    putenv(setting);
}

#endif
