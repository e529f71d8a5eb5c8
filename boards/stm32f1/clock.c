#include "clock.h"

#include <stdbool.h>

#include "stm32f1.h"

#define HSI_HZ 8000000u
#define BY_CRYSTAL_HZ 72000000u
#define BY_RC_HZ 64000000u
#define WAIT_POLLS 50000u /* at 8 MHz and some 10 cycles a poll */

static bool wait_for(const reg_t *reg, uint32_t mask, uint32_t value)
{
    for (uint32_t i = 0; i < WAIT_POLLS; i++) {
        if ((*reg & mask) == value) {
            return true;
        }
    }
    return false;
}

uint32_t ein_clock_tree_init(void)
{
    RCC->CR |= RCC_CR_HSEON;
    const bool crystal = wait_for(&RCC->CR, RCC_CR_HSERDY, RCC_CR_HSERDY);

    FLASH->ACR = FLASH_ACR_PRFTBE | FLASH_ACR_LATENCY_2; /* above 48 MHz */
    /* 8 MHz by 9, or 4 MHz by 16; APB1 at half of it, as it may have 36 MHz, the ADC at a sixth, as
       it may have 14. */
    const uint32_t source =
        crystal ? RCC_CFGR_PLLSRC_HSE | 7u << RCC_CFGR_PLLMUL_SHIFT : 14u << RCC_CFGR_PLLMUL_SHIFT;
    const uint32_t tree = source | RCC_CFGR_PPRE1_DIV2 | RCC_CFGR_ADCPRE_DIV6;
    RCC->CFGR = tree;
    RCC->CR |= RCC_CR_PLLON;
    if (!wait_for(&RCC->CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY)) {
        return HSI_HZ;
    }
    RCC->CFGR = tree | RCC_CFGR_SW_PLL;
    if (!wait_for(&RCC->CFGR, RCC_CFGR_SWS_MASK, RCC_CFGR_SWS_PLL)) {
        RCC->CFGR = tree;
        return HSI_HZ;
    }
    return crystal ? BY_CRYSTAL_HZ : BY_RC_HZ;
}
