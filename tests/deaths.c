/* SPDX-License-Identifier: MIT */
#include "deaths.h"

#include <stdio.h>
#include <stdlib.h>

#include "os/os.h"

enum { FEW = 3, MOST = 10000 };

unsigned
deaths_wanted(int argc, char **argv)
{
    long number = argc > 2 ? strtol(argv[2], NULL, 10) : FEW;
    if (argc < 2 || number < 1 || number > MOST) {
        fprintf(stderr, "usage: %s TUTTID [DEATHS]\n", argc ? argv[0] : "test");
        return 0;
    }
    return (unsigned)number;
}

void
deaths_tell(unsigned number, uint64_t there_ns)
{
    uint64_t ms = (os_now_ns() - there_ns) / OS_NS_PER_MS;
    printf("death %u: sound again after %llu ms\n", number, (unsigned long long)ms);
    fflush(stdout);
}
