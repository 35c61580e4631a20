/* SPDX-License-Identifier: MIT */
/* 64-bit x86: the first four in RCX, RDX, R8, R9, the rest on the stack; the caller pops. */
#include "conform/convention.h"

/* function in RCX, self in RDX, args in R8, count in R9, seen 48 above RBP. The stack pointer
 * before the call is kept 72 below. Seven registers hold known numbers during the call. */
__asm__(".text\n"
        ".globl convention_call\n"
        "convention_call:\n"
        "    pushq %rbp\n"
        "    movq %rsp, %rbp\n"
        "    pushq %rbx\n"
        "    pushq %rsi\n"
        "    pushq %rdi\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    subq $88, %rsp\n"
        "    movq %rcx, %rax\n"
        "    movq %rdx, %rcx\n"
        "    movq 24(%r8), %r10\n"
        "    movq %r10, 32(%rsp)\n"
        "    movq 0(%r8), %rdx\n"
        "    movq %rdx, %xmm1\n"
        "    movq 16(%r8), %r9\n"
        "    movq 8(%r8), %r8\n"
        "    movq $0x11111111, %rbx\n"
        "    movq %rbx, %rsi\n"
        "    movq %rbx, %rdi\n"
        "    movq %rbx, %r12\n"
        "    movq %rbx, %r13\n"
        "    movq %rbx, %r14\n"
        "    movq %rbx, %r15\n"
        "    movq %rsp, -72(%rbp)\n"
        "    call *%rax\n"
        "    movq 48(%rbp), %rdx\n"
        "    movq %rsp, %rcx\n"
        "    subq -72(%rbp), %rcx\n"
        "    movq %rcx, 0(%rdx)\n"
        "    movq $0x11111111, %rcx\n"
        "    xorq %rcx, %rbx\n"
        "    xorq %rcx, %rsi\n"
        "    xorq %rcx, %rdi\n"
        "    xorq %rcx, %r12\n"
        "    xorq %rcx, %r13\n"
        "    xorq %rcx, %r14\n"
        "    xorq %rcx, %r15\n"
        "    orq %rsi, %rbx\n"
        "    orq %rdi, %rbx\n"
        "    orq %r12, %rbx\n"
        "    orq %r13, %rbx\n"
        "    orq %r14, %rbx\n"
        "    orq %r15, %rbx\n"
        "    movq %rbx, 8(%rdx)\n"
        "    leaq -56(%rbp), %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rdi\n"
        "    popq %rsi\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n");

unsigned
convention_pops(unsigned words, int unknown)
{
    (void)words;
    (void)unknown;
    return 0;
}

uint64_t
convention_float_state(void)
{
    uint32_t mxcsr;
    uint16_t x87;
    uint64_t flags;

    __asm__ volatile("stmxcsr %0\n fnstcw %1\n pushfq\n popq %2"
                     : "=m"(mxcsr), "=m"(x87), "=r"(flags));
    return (flags & 0x400u) << 32 | (uint64_t)x87 << 16 | (mxcsr & 0xffc0u);
}
