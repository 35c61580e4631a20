/* SPDX-License-Identifier: MIT */
/* 32-bit x86: thiscall (this in ECX, the callee pops), for IUnknown stdcall (this pushed, too). */
#include "conform/convention.h"

/* function 8, self 12, args 16, count 20, seen 24 above EBP; the stack pointer before the call is
 * kept 16 below. EBX, ESI, EDI hold known numbers during the call. */
__asm__(".text\n"
        ".globl _convention_call\n"
        "_convention_call:\n"
        "    pushl %ebp\n"
        "    movl %esp, %ebp\n"
        "    pushl %ebx\n"
        "    pushl %esi\n"
        "    pushl %edi\n"
        "    subl $20, %esp\n"
        "    movl 20(%ebp), %ecx\n"
        "    movl 16(%ebp), %edx\n"
        "1:  testl %ecx, %ecx\n"
        "    jz 2f\n"
        "    decl %ecx\n"
        "    pushl (%edx,%ecx,4)\n"
        "    jmp 1b\n"
        "2:  movl 8(%ebp), %eax\n"
        "    movl 12(%ebp), %ecx\n"
        "    movl $0x11111111, %ebx\n"
        "    movl $0x22222222, %esi\n"
        "    movl $0x33333333, %edi\n"
        "    movl %esp, -16(%ebp)\n"
        "    call *%eax\n"
        "    movl 24(%ebp), %edx\n"
        "    movl %esp, %ecx\n"
        "    subl -16(%ebp), %ecx\n"
        "    movl %ecx, 0(%edx)\n"
        "    xorl $0x11111111, %ebx\n"
        "    xorl $0x22222222, %esi\n"
        "    xorl $0x33333333, %edi\n"
        "    orl %esi, %ebx\n"
        "    orl %edi, %ebx\n"
        "    movl %ebx, 4(%edx)\n"
        "    leal -12(%ebp), %esp\n"
        "    popl %edi\n"
        "    popl %esi\n"
        "    popl %ebx\n"
        "    popl %ebp\n"
        "    ret\n");

unsigned
convention_pops(unsigned words, int unknown)
{
    return (words + (unknown != 0)) * 4;
}

uint64_t
convention_float_state(void)
{
    uint32_t mxcsr, flags;
    uint16_t x87;

    __asm__ volatile("stmxcsr %0\n fnstcw %1\n pushfl\n popl %2"
                     : "=m"(mxcsr), "=m"(x87), "=r"(flags));
    return (uint64_t)(flags & 0x400u) << 32 | (uint64_t)x87 << 16 | (mxcsr & 0xffc0u);
}
