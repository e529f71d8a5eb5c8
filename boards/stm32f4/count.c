/* Cycles on silicon, from the core's own counter. QEMU leaves that at 0, but with `-icount shift=0`
   it executes one instruction per nanosecond of its virtual time, and its STM32 timers count
   nanoseconds whatever the clock tree says: there TIM2, 32 bits wide, counts instructions. */
#include "count.h"

#include "stm32f4.h"

static bool is_silicon;

bool ein_count_init(void)
{
    DEMCR |= DEMCR_TRCENA;
    DWT_CYCCNT = 0;
    DWT_CTRL |= DWT_CTRL_CYCCNTENA;
    const uint32_t start = DWT_CYCCNT;
    __asm volatile("nop\n nop\n nop\n nop");
    is_silicon = DWT_CYCCNT != start;
    if (!is_silicon) {
        rcc_enable(&RCC->APB1ENR, RCC_APB1ENR_TIM2);
        TIM2->PSC = 0;
        TIM2->ARR = UINT32_MAX;
        TIM2->CR1 = TIM_CR1_CEN;
    }
    return is_silicon;
}

uint32_t ein_count_read(void)
{
    return is_silicon ? DWT_CYCCNT : TIM2->CNT;
}

bool ein_count_is_silicon(void)
{
    return is_silicon;
}
