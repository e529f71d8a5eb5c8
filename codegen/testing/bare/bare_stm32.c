/* Cortex-M4 and M3 in QEMU (netduinoplus2, an STM32F405; netduino2, an STM32F205, which has flash,
 * RAM and TIM2 where the other has them): instructions by TIM2.
 *
 * With -icount shift=0 an instruction takes 1 ns of virtual time, and QEMU's STM32 timers count
 * nanoseconds: 32 bits, to the instruction, without interrupts.
 */
#include "bare_cortex_m.h"

#define RCC_APB1ENR (*(volatile uint32_t *)0x40023840)
#define TIM2_CR1 (*(volatile uint32_t *)0x40000000)
#define TIM2_CNT (*(volatile uint32_t *)0x40000024)
#define TIM2_PSC (*(volatile uint32_t *)0x40000028)
#define TIM2_ARR (*(volatile uint32_t *)0x4000002C)

uint32_t bare_count(void)
{
    return TIM2_CNT;
}

static void bare_wake(void)
{
    RCC_APB1ENR |= 1; /* TIM2 */
    TIM2_PSC = 0;
    TIM2_ARR = UINT32_MAX;
    TIM2_CR1 = 1;
}
