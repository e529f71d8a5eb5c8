/* Cortex-M0 or M3 in QEMU (lm3s6965evb, a Stellaris of 256 KB and 64 KB, with either core): output
 * by semihosting, instructions by SysTick.
 *
 * With -icount shift=0 an instruction takes 1 ns of virtual time. Its system clock, divided by one,
 * has 5 ns in QEMU: SysTick counts five instructions at a time, 83 million before it begins again.
 */
#include "bare.h"

#define SYSCTL_RCC (*(volatile uint32_t *)0x400FE060)
#define RCC_SYSDIV (15u << 23)
#define SYST_CSR (*(volatile uint32_t *)0xE000E010)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018)
#define TICKS 0xFFFFFFu
#define INSTRUCTIONS 5u

extern uint32_t bare_stack_top, bare_bss_begin, bare_bss_end;
int main(void);

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

/* Counts up from wherever it is asked first; differences are right as long as SysTick does not come
 * round twice between two questions. */
uint32_t bare_count(void)
{
    static uint32_t count, before;
    const uint32_t now = TICKS - SYST_CVR;

    count += ((now - before) & TICKS) * INSTRUCTIONS;
    before = now;
    return count;
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
    SYSCTL_RCC &= ~RCC_SYSDIV;
    SYST_RVR = TICKS;
    SYST_CVR = 0;
    SYST_CSR = 5; /* on, the processor's clock */
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
