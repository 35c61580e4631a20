/* SPDX-License-Identifier: MIT */
/* What the C and the C++ half of test_asio_abi tell each other. */
#ifndef TUTTI_TESTS_ASIO_ABI_H
#define TUTTI_TESTS_ASIO_ABI_H

#include <stdbool.h>

#include "tutti/asio.h"

#define ABI_RATE 44100.0625
#define ABI_POINTER ((uintptr_t)0x12345670)

#ifdef __cplusplus
extern "C" {
#endif

/** Calls each of the 24 methods `times` times through an abstract C++ class. The number of wrong
 * answers; 1000000 and more when the stack pointer moved. */
unsigned abi_call_everything(void *driver, unsigned times);

/** A driver written as a C++ class. */
struct asio_driver *abi_cpp_driver(void);

#ifdef __cplusplus
}
#endif
#endif
