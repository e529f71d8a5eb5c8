#include "stream.h"

#include "ein_pipeline.h"
#include "oversample.h"
#include "stm32f1.h"

#define CHANNEL 1u
#define RATE_HZ (EIN_PIPELINE_RATE_HZ * EIN_OVERSAMPLING)
#define MS_PER_S 1000u
#define RING (EIN_OVERSAMPLE_RING * EIN_OVERSAMPLING)
/* What DMA may write while the oldest sample is being read. */
#define KEPT (RING - EIN_OVERSAMPLING)
#define CALIBRATION_POLLS 10000u /* it takes 83 cycles of the ADC, 7 us [11.4] */

typedef char ein_check_ring[(RING & (RING - 1u)) == 0 && RING <= UINT16_MAX ? 1 : -1];

static volatile uint16_t ring[RING];
static uint32_t came;  /* conversions */
static uint32_t taken; /* of them, read or given up: a multiple of EIN_OVERSAMPLING */
static uint32_t lost;  /* samples given up, and not told yet */
static uint32_t ms, ms_parts;
static bool reads;

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

void ein_stream_init(uint32_t core_hz)
{
    rcc_enable(&RCC->AHBENR, RCC_AHBENR_DMA1);
    rcc_enable(&RCC->APB1ENR, RCC_APB1ENR_TIM2 | RCC_APB1ENR_TIM3);
    rcc_enable(&RCC->APB2ENR, RCC_APB2ENR_ADC1);
    pin_mode_a(CHANNEL, PIN_ANALOGUE);
    ADC1->SMPR2 = 7u << (3u * CHANNEL); /* 239.5 cycles: 20 us, for a source of many kOhm */
    ADC1->SQR3 = CHANNEL;
    calibrate();
    DMA_CHANNEL_ADC1->CPAR = (uint32_t)(uintptr_t)&ADC1->DR;
    DMA_CHANNEL_ADC1->CMAR = (uint32_t)(uintptr_t)ring;
    DMA_CHANNEL_ADC1->CNDTR = RING;
    DMA_CHANNEL_ADC1->CCR = DMA_CCR_PL_HIGH | DMA_CCR_MSIZE_16 | DMA_CCR_PSIZE_16 | DMA_CCR_MINC |
                            DMA_CCR_CIRC | DMA_CCR_EN;
    ADC1->CR2 = ADC_CR2_ADON | ADC_CR2_DMA | ADC_CR2_EXTSEL_TIM3_TRGO | ADC_CR2_EXTTRIG;
    TIM2->ARR = UINT16_MAX;
    TIM2->SMCR = TIM_SMCR_TS_TIM3 | TIM_SMCR_SMS_CLOCK;
    TIM2->CR1 = TIM_CR1_CEN;
    TIM3->CR2 = TIM_CR2_MMS_UPDATE;
    TIM3->ARR = (core_hz + RATE_HZ / 2u) / RATE_HZ - 1u;
    TIM3->CR1 = TIM_CR1_CEN;
}

void ein_stream_poll(void)
{
    const uint32_t more = (uint16_t)(TIM2->CNT - came);
    came += more;
    ms_parts += more * MS_PER_S;
    ms += ms_parts / RATE_HZ;
    ms_parts %= RATE_HZ;
    if (came - taken > KEPT) {
        const uint32_t samples = (came - taken - KEPT + EIN_OVERSAMPLING - 1u) / EIN_OVERSAMPLING;
        taken += samples * EIN_OVERSAMPLING;
        lost += samples;
    }
}

uint32_t ein_stream_ms(void)
{
    return ms;
}

bool ein_stream_read(int16_t *sample, uint32_t *dropped)
{
    ein_stream_poll();
    if (!reads) {
        reads = true;
        lost = 0;
        taken = came / EIN_OVERSAMPLING * EIN_OVERSAMPLING;
    }
    /* The newest one may still be on its way. */
    if (came - taken <= EIN_OVERSAMPLING) {
        return false;
    }
    ein_oversample_sum_t sum = {0};
    while (!ein_oversample_sum(&sum, ring[taken++ % RING] & EIN_OVERSAMPLE_FULL, sample)) {
    }
    *dropped = lost;
    lost = 0;
    return true;
}
