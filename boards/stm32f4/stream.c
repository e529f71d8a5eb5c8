/* Stream mode: ADC1 channel 1 (PA1), sampled by SysTick. A conversion is started at one tick and
 * read at the next, so nothing waits for it. */
#include "stream.h"

#include "adc_on.h"
#include "board.h"
#ifdef EIN_EMULATED_ADC
#include "emulated.h"
#endif
#include "ein_pipeline.h"
#include "oversample.h"
#include "pins.h"

#define CHANNEL 1u

static ein_oversample_t conversions;

void ein_stream_tick(void)
{
    const uint32_t value = ADC1->DR & EIN_OVERSAMPLE_FULL;
    int16_t sample;

    ADC1->CR2 = ADC_CR2_ADON | ADC_CR2_SWSTART;
    if (!ein_oversample_add(&conversions, value, &sample)) {
        return;
    }
#ifdef EIN_EMULATED_ADC
    ein_emulated_sample(&sample); /* in the emulator, which has nothing to sample */
#endif
    ein_oversample_put(&conversions, sample);
}

void ein_stream_describe(ein_port_info_t *info)
{
    info->adc_bits = EIN_OVERSAMPLE_BITS;
    info->adc_gain_lsb_per_mv = EIN_BOARD_GAIN_LSB_PER_MV;
    info->adc_rail_lo = EIN_OVERSAMPLE_RAIL_LO;
    info->adc_rail_hi = EIN_OVERSAMPLE_RAIL_HI;
}

bool ein_stream_begin(uint32_t core_hz)
{
    rcc_enable(&RCC->APB2ENR, RCC_APB2ENR_ADC1);
    pin_mode(PA(CHANNEL), PIN_ANALOGUE, 0u);
    ADC_CCR = ADC_CCR_ADCPRE_DIV4;     /* at most 24 MHz of the 36 allowed */
    ADC1->SMPR2 = 7u << (3 * CHANNEL); /* 480 cycles: 20 us, for a source of many kOhm */
    ADC1->SQR3 = CHANNEL;
    adc_on();
    ADC1->CR2 = ADC_CR2_ADON | ADC_CR2_SWSTART;

    const uint32_t tick_hz = EIN_PIPELINE_RATE_HZ * EIN_OVERSAMPLING;
    SYSTICK->LOAD = (core_hz + tick_hz / 2) / tick_hz - 1;
    SYSTICK->VAL = 0;
    SYSTICK->CTRL = SYSTICK_CTRL_CLKSOURCE | SYSTICK_CTRL_TICKINT | SYSTICK_CTRL_ENABLE;
    return true;
}

bool ein_stream_slept(void)
{
    return false;
}

bool ein_stream_empty(void)
{
    return ein_oversample_empty(&conversions);
}

bool ein_stream_read(int16_t *sample, uint32_t *dropped)
{
    return ein_oversample_read(&conversions, sample, dropped);
}
