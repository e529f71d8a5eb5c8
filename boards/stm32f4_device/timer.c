#include "timer.h"

#include "board.h"
#include "count.h"

#define HSI_HZ 16000000u
#define QEMU_TIMER_HZ 1000000000u
#define US_HZ 1000000u

static bool runs;
static uint32_t skipped_us;

/* Of TIM2 to TIM5: twice APB1's where that is divided (RM0090 7.2). */
static uint32_t source_hz(void)
{
    if (!ein_count_is_silicon()) {
        return QEMU_TIMER_HZ;
    }
    if ((RCC->CFGR & RCC_CFGR_SWS_MASK) != RCC_CFGR_SWS_PLL) {
        return HSI_HZ;
    }
    return EIN_BOARD_APB1_DIVIDER == 1u ? EIN_BOARD_CORE_HZ
                                        : 2u * EIN_BOARD_CORE_HZ / EIN_BOARD_APB1_DIVIDER;
}

void ein_timer_start(tim_t *timer, uint32_t hz, uint32_t top)
{
    timer->PSC = source_hz() / hz - 1u;
    timer->ARR = top;
    timer->EGR = TIM_EGR_UG; /* takes over the prescaler */
    timer->CR1 = TIM_CR1_CEN;
}

uint32_t ein_timer_us(void)
{
    if (!runs) {
        runs = true;
        rcc_enable(&RCC->APB1ENR, RCC_APB1ENR_TIM5);
        ein_timer_start(TIM5, US_HZ, UINT32_MAX);
    }
    return TIM5->CNT + skipped_us;
}

void ein_timer_skip_us(uint32_t us)
{
    skipped_us += us;
}
