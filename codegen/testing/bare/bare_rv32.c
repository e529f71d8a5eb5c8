/* rv32imc in QEMU (virt): output by its 16550 UART, instructions by minstret. */
#include "bare.h"

#define UART ((volatile uint8_t *)0x10000000)
#define FINISHER (*(volatile uint32_t *)0x100000)

int main(void);

void bare_put(char c)
{
    while (!(UART[5] & 0x20))
        ;
    UART[0] = (uint8_t)c;
}

uint32_t bare_count(void)
{
    uint32_t n;

    __asm volatile("csrr %0, minstret" : "=r"(n));
    return n;
}

void bare_exit(void)
{
    FINISHER = 0x5555;
    for (;;)
        ;
}

__attribute__((naked, section(".vectors"))) void bare_reset(void)
{
    __asm volatile("la sp, bare_stack_top\n"
                   "la a0, bare_bss_begin\n"
                   "la a1, bare_bss_end\n"
                   "1: bgeu a0, a1, 2f\n"
                   "sw zero, 0(a0)\n"
                   "addi a0, a0, 4\n"
                   "j 1b\n"
                   "2: call main\n"
                   "3: j 3b");
}
