/* Cortex-M4 in QEMU (netduinoplus2, an STM32F405): output by semihosting, instructions by SysTick.
 *
 * With -icount shift=0 an instruction takes 1 ns of virtual time and SysTick runs at 168 MHz.
 */
#include "bare.h"

#define SYSTICK ((volatile uint32_t *)0xE000E010)
#define SYST_CSR 0
#define SYST_RVR 1
#define SYST_CVR 2

extern uint32_t bare_stack_top, bare_bss_begin, bare_bss_end;
int main(void);

/* SysTick has 24 bits, 100 ms: longer inferences carry over once through its flag. */
static volatile uint32_t overflows;

void bare_systick(void)
{
    overflows++;
}

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

uint32_t bare_count(void)
{
    uint32_t high, low;

    do {
        high = overflows;
        low = 0xFFFFFF - SYSTICK[SYST_CVR];
    } while (high != overflows);
    return (high << 24) + low;
}

uint32_t bare_elapsed(uint32_t begin, uint32_t end)
{
    return (uint32_t)((uint64_t)(end - begin) * 1000 / 168);
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
    SYSTICK[SYST_RVR] = 0xFFFFFF;
    SYSTICK[SYST_CVR] = 0;
    SYSTICK[SYST_CSR] = 7; /* core clock, interrupt, on */
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

__attribute__((section(".vectors"), used)) static void *const vectors[16] = {
    &bare_stack_top,
    (void *)bare_reset,
    (void *)bare_fault,
    (void *)bare_fault,
    (void *)bare_fault,
    (void *)bare_fault,
    (void *)bare_fault,
    0,
    0,
    0,
    0,
    (void *)bare_fault,
    0,
    0,
    (void *)bare_fault,
    (void *)bare_systick,
};
