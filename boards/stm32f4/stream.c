/* A conversion is started at one tick and read at the next, so nothing waits for it. */
#include "stream.h"

#ifdef EIN_DEVICE
#include "ein_device_spec.h"
#define EIN_EMULATED_ADC
#endif
#ifdef EIN_EMULATED_ADC
#include "emulated.h"
#endif
#include "ein_pipeline.h"
#include "oversample.h"
#include "stm32f4.h"

#define CHANNEL 1u

#ifdef EIN_DEVICE
/* Longer than a sector of the log takes to erase, and a turn of the loop beside it. */
typedef char ein_check_ring[EIN_OVERSAMPLE_RING * 1000u >=
                                    EIN_PIPELINE_RATE_HZ *
                                        (EIN_DEVICE_RING_ERASE_MS + EIN_DEVICE_RING_TURN_MS)
                                ? 1
                                : -1];
#endif

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

void ein_stream_init(uint32_t core_hz)
{
    RCC->AHB1ENR |= RCC_AHB1ENR_GPIOA;
    RCC->APB2ENR |= RCC_APB2ENR_ADC1;
    GPIOA->MODER |= 3u << (2 * CHANNEL); /* analogue; channel n is pin PAn */
    ADC_CCR = ADC_CCR_ADCPRE_DIV4;       /* at most 24 MHz of the 36 allowed */
    ADC1->SMPR2 = 7u << (3 * CHANNEL);   /* 480 cycles: 20 us, for a source of many kOhm */
    ADC1->SQR3 = CHANNEL;
    ADC1->CR2 = ADC_CR2_ADON;
    ADC1->CR2 = ADC_CR2_ADON | ADC_CR2_SWSTART;

    const uint32_t tick_hz = EIN_PIPELINE_RATE_HZ * EIN_OVERSAMPLING;
    SYSTICK->LOAD = (core_hz + tick_hz / 2) / tick_hz - 1;
    SYSTICK->VAL = 0;
    SYSTICK->CTRL = SYSTICK_CTRL_CLKSOURCE | SYSTICK_CTRL_TICKINT | SYSTICK_CTRL_ENABLE;
}

bool ein_stream_empty(void)
{
    return ein_oversample_empty(&conversions);
}

bool ein_stream_read(int16_t *sample, uint32_t *dropped)
{
    return ein_oversample_read(&conversions, sample, dropped);
}
