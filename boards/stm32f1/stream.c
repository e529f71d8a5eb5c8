/* A conversion is started at one tick and read at the next, so nothing waits for it. */
#include "stream.h"

#include "ein_pipeline.h"
#include "oversample.h"
#include "stm32f1.h"

#define CHANNEL 1u
#define CALIBRATION_POLLS 10000u /* it takes 83 cycles of the ADC, 7 us [11.4] */
#define START                                                                                      \
    (ADC_CR2_ADON | ADC_CR2_EXTSEL_SWSTART | ADC_CR2_EXTTRIG | ADC_CR2_SWSTART) /* [11.12.3] */

static ein_oversample_t conversions;

void ein_stream_tick(void)
{
    const uint32_t value = ADC1->DR & EIN_OVERSAMPLE_FULL;
    int16_t sample;

    ADC1->CR2 = START;
    if (ein_oversample_add(&conversions, value, &sample)) {
        ein_oversample_put(&conversions, sample);
    }
}

static void calibrate(void)
{
    ADC1->CR2 = ADC_CR2_ADON;
    for (volatile uint32_t i = 0; i < 100u; i++) { /* 1 us until it is awake */
    }
    for (uint32_t what = ADC_CR2_RSTCAL; what >= ADC_CR2_CAL; what >>= 1) {
        ADC1->CR2 |= what;
        for (uint32_t i = 0; i < CALIBRATION_POLLS && (ADC1->CR2 & what) != 0; i++) {
        }
    }
}

void ein_stream_begin(uint32_t core_hz)
{
    RCC->APB2ENR |= RCC_APB2ENR_ADC1;
    pin_mode_a(CHANNEL, PIN_ANALOGUE);
    ADC1->SMPR2 = 7u << (3u * CHANNEL); /* 239.5 cycles: 20 us, for a source of many kOhm */
    ADC1->SQR3 = CHANNEL;
    calibrate();
    ADC1->CR2 = START;

    const uint32_t tick_hz = EIN_PIPELINE_RATE_HZ * EIN_OVERSAMPLING;
    SYSTICK->LOAD = (core_hz + tick_hz / 2u) / tick_hz - 1u;
    SYSTICK->VAL = 0;
    SYSTICK->CTRL = SYSTICK_CTRL_ON;
}

bool ein_stream_empty(void)
{
    return ein_oversample_empty(&conversions);
}

bool ein_stream_read(int16_t *sample, uint32_t *dropped)
{
    return ein_oversample_read(&conversions, sample, dropped);
}
