/* Cortex-M0 in QEMU (lm3s6965evb, a Stellaris of 256 KB and 64 KB, with another core than its own):
 * output by semihosting, instructions by SysTick.
 *
 * With -icount shift=0 an instruction takes 1 ns of virtual time. Its system clock, divided by one,
 * has 5 ns in QEMU: SysTick counts five instructions at a time, 83 million before it begins again.
 */
#include "bare_cortex_m.h"

#define SYSCTL_RCC (*(volatile uint32_t *)0x400FE060)
#define RCC_SYSDIV (15u << 23)
#define SYST_CSR (*(volatile uint32_t *)0xE000E010)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018)
#define TICKS 0xFFFFFFu
#define INSTRUCTIONS 5u

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

static void bare_wake(void)
{
    SYSCTL_RCC &= ~RCC_SYSDIV;
    SYST_RVR = TICKS;
    SYST_CVR = 0;
    SYST_CSR = 5; /* on, the processor's clock */
}
