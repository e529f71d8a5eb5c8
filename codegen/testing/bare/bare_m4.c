/* Cortex-M4 in QEMU (netduinoplus2, an STM32F405): output by semihosting, instructions by TIM2.
 *
 * With -icount shift=0 an instruction takes 1 ns of virtual time, and QEMU's STM32 timers count
 * nanoseconds: 32 bits, to the instruction, without interrupts.
 */
#include "bare.h"

#define RCC_APB1ENR (*(volatile uint32_t *)0x40023840)
#define TIM2_CR1 (*(volatile uint32_t *)0x40000000)
#define TIM2_CNT (*(volatile uint32_t *)0x40000024)
#define TIM2_PSC (*(volatile uint32_t *)0x40000028)
#define TIM2_ARR (*(volatile uint32_t *)0x4000002C)

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

uint32_t bare_count(void)
{
    return TIM2_CNT;
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
    RCC_APB1ENR |= 1; /* TIM2 */
    TIM2_PSC = 0;
    TIM2_ARR = UINT32_MAX;
    TIM2_CR1 = 1;
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
