/* Cortex-M55 in QEMU (mps3-an547), all of it Secure. */
#define BARE_FPGAIO 0x59302000
#include "bare_mps.h"

#define CPACR (*(volatile uint32_t *)0xE000ED88)
#define CPACR_CP10_CP11 (0xFu << 20)

static void bare_wake(void)
{
    CPACR |= CPACR_CP10_CP11; /* vectors */
    __asm volatile("dsb\n isb" ::: "memory");
}
