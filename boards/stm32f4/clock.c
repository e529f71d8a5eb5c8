#include "clock.h"

#include <stdbool.h>

#include "board.h"
#include "stm32f4.h"

#define HSI_HZ 16000000u
#define MHZ 1000000u
#define WAIT_POLLS 50000u /* at 16 MHz and some 10 cycles a poll */

static bool wait_for(const reg_t *reg, uint32_t mask, uint32_t value)
{
    for (uint32_t i = 0; i < WAIT_POLLS; i++) {
        if ((*reg & mask) == value) {
            return true;
        }
    }
    return false;
}

/* The field PPREx of RCC_CFGR for a divider of 1, 2, 4, 8 or 16. */
static uint32_t apb_field(uint32_t divider)
{
    return divider == 1 ? 0u : 3u + (uint32_t)__builtin_ctz(divider);
}

ein_clock_tree_t ein_clock_tree_init(void)
{
    const ein_clock_tree_t on_hsi = {HSI_HZ, HSI_HZ, HSI_HZ};

    RCC->CR |= EIN_BOARD_CRYSTAL_BYPASS ? RCC_CR_HSEBYP : 0u;
    RCC->CR |= RCC_CR_HSEON;
    const bool crystal = wait_for(&RCC->CR, RCC_CR_HSERDY, RCC_CR_HSERDY);
    const uint32_t source_hz = crystal ? EIN_BOARD_CRYSTAL_HZ : HSI_HZ;

    rcc_enable(&RCC->APB1ENR, RCC_APB1ENR_PWR);
    PWR_CR |= EIN_BOARD_PWR_VOS;
    FLASH_ACR = FLASH_ACR_PRFTEN | FLASH_ACR_ICEN | FLASH_ACR_DCEN | EIN_BOARD_FLASH_WAIT_STATES;
    if ((FLASH_ACR & FLASH_ACR_LATENCY) != EIN_BOARD_FLASH_WAIT_STATES) {
        return on_hsi; /* to be read before the clock is raised (RM0090 3.5.1) */
    }

    /* 1 MHz into the PLL, twice the core's clock out of its oscillator, halved (P = 0 means 2). The
       top bits keep their reset value, which the F446 needs for an output that is not used here. */
    RCC->PLLCFGR = (RCC->PLLCFGR & 0xF0000000u) | 7u << 24 | (crystal ? RCC_PLLCFGR_SRC_HSE : 0u) |
                   (2u * EIN_BOARD_CORE_HZ / MHZ) << 6 | source_hz / MHZ;
    RCC->CR |= RCC_CR_PLLON;
    if (!wait_for(&RCC->CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY)) {
        return on_hsi;
    }
    RCC->CFGR = apb_field(EIN_BOARD_APB1_DIVIDER) << RCC_CFGR_PPRE1_SHIFT |
                apb_field(EIN_BOARD_APB2_DIVIDER) << RCC_CFGR_PPRE2_SHIFT | RCC_CFGR_SW_PLL;
    if (!wait_for(&RCC->CFGR, RCC_CFGR_SWS_MASK, RCC_CFGR_SWS_PLL)) {
        RCC->CFGR = 0;
        return on_hsi;
    }
    return (ein_clock_tree_t){
        .core_hz = EIN_BOARD_CORE_HZ,
        .apb1_hz = EIN_BOARD_CORE_HZ / EIN_BOARD_APB1_DIVIDER,
        .apb2_hz = EIN_BOARD_CORE_HZ / EIN_BOARD_APB2_DIVIDER,
    };
}
