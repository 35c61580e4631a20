/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer: any bytes as a received message, from either side. What passes must be as large as its
 * type says; the sanitizers see what is read.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A message's memory is aligned as malloc aligns; the fuzzer's need not be. */
    struct proto_header *message = malloc(size ? size : 1);
    if (!message) {
        return 0;
    }
    if (size) {
        memcpy(message, data, size);
    }
    for (unsigned from_program = 0; from_program < 2; from_program++) {
        const char *why = NULL;
        enum tutti_status status = proto_check(message, size, from_program, &why);
        bool judged = status == TUTTI_OK
                          ? size == proto_size((enum proto_type)message->type)
                          : (status == TUTTI_PROTOCOL || status == TUTTI_VERSION_MISMATCH) && why;
        if (!judged) {
            abort();
        }
    }
    free(message);
    return 0;
}
