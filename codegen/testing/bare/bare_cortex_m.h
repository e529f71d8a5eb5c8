/* What every Cortex-M of the harness has alike: output by semihosting, the vectors, start and end.
 *
 * Included by a chip's file, which counts instructions (bare_count) and wakes what that takes
 * (bare_wake). */
#ifndef BARE_CORTEX_M_H
#define BARE_CORTEX_M_H

#include "bare.h"

extern uint32_t bare_stack_top, bare_bss_begin, bare_bss_end;
int main(void);

static void bare_wake(void);

static uint32_t semihost(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = argument;

    __asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void bare_put(char c)
{
    semihost(0x03, &c);
}

void bare_exit(void)
{
    static const uint32_t success[2] = {0x20026, 0};

    semihost(0x20, success);
}

void bare_reset(void)
{
    for (uint32_t *p = &bare_bss_begin; p < &bare_bss_end; p++)
        *p = 0;
    bare_wake();
    main();
    for (;;)
        ;
}

void bare_fault(void)
{
    static const uint32_t failure[2] = {0x20026, 3};

    semihost(0x20, failure);
    for (;;)
        ;
}

__attribute__((section(".vectors"), used)) static void *const vectors[7] = {
    &bare_stack_top,    (void *)bare_reset, (void *)bare_fault, (void *)bare_fault,
    (void *)bare_fault, (void *)bare_fault, (void *)bare_fault,
};

#endif
