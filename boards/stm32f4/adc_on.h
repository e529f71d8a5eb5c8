/* ADC1 of the STM32F4, switched on. */
#ifndef EIN_ADC_ON_H
#define EIN_ADC_ON_H

#include "board.h"
#include "count.h"
#include "stm32f4.h"

/* tSTAB of the data sheets is 3 us at most: what is converted before may be anything. */
#define ADC_STABLE_US 4u

/* Leaves what it was set up for as it is. ein_count_init() has been called. */
static inline void adc_on(void)
{
    if ((ADC1->CR2 & ADC_CR2_ADON) != 0) {
        return;
    }
    ADC1->CR2 |= ADC_CR2_ADON;
    const uint32_t since = ein_count_read();
    while (ein_count_read() - since < EIN_BOARD_CORE_HZ / 1000000u * ADC_STABLE_US) {
    }
}

#endif
