#include "adc.h"

#include "adc_on.h"
#include "board.h"
#include "pins.h"
#include "timer.h"

#define US_PER_S 1000000u
#define MAX_RATE_HZ 500u
/* What DMA may write while the oldest is still being read. */
#define MARGIN 4u
/* Some ten cycles each: 10 us. */
#define WAIT_POLLS 200u

typedef char
    ein_check_ring[(EIN_ADC_RING - MARGIN) * 1000u >= MAX_RATE_HZ * EIN_BUS_ADC_WAIT_MS ? 1 : -1];
typedef char ein_check_channel[EIN_BOARD_ADC_CHANNEL < 8u ? 1 : -1]; /* n is pin PAn */

static volatile uint16_t ring[EIN_ADC_RING];
static ein_bus_on_adc_t on_adc;
static void *adc_context;
static uint32_t period_us;
static uint32_t read_at;   /* the oldest that was not given, in the ring */
static uint32_t looked_us; /* when DMA's count was last read */
static uint32_t waited;    /* conversions that waited then */
static uint32_t lost;      /* not yet told */

static void let_dma_end(void)
{
    DMA2->stream[0].CR = 0;
    for (uint32_t i = 0; i < WAIT_POLLS && (DMA2->stream[0].CR & DMA_CR_EN) != 0; i++) {
    }
    DMA2->LIFCR = DMA_LIFCR_STREAM0;
}

/* From the ring's beginning; also what RM0090 13.8.1 asks for after an overrun. */
static void begin(void)
{
    TIM2->CR1 = 0;
    ADC1->CR2 = 0;
    ADC1->SR = 0;
    let_dma_end();
    DMA2->stream[0].PAR = (uint32_t)(uintptr_t)&ADC1->DR;
    DMA2->stream[0].M0AR = (uint32_t)(uintptr_t)ring;
    DMA2->stream[0].NDTR = EIN_ADC_RING;
    DMA2->stream[0].CR =
        DMA_CR_PL_HIGH | DMA_CR_MSIZE_16 | DMA_CR_PSIZE_16 | DMA_CR_MINC | DMA_CR_CIRC;
    DMA2->stream[0].CR |= DMA_CR_EN;
    ADC_CCR = ADC_CCR_ADCPRE_DIV4;                    /* at most 25 MHz of the 36 allowed */
    ADC1->SMPR2 |= 7u << (3 * EIN_BOARD_ADC_CHANNEL); /* 480 cycles: for a source of many kOhm */
    ADC1->SQR1 = 0;                                   /* one channel */
    ADC1->SQR3 = EIN_BOARD_ADC_CHANNEL;
    adc_on(); /* the timer's start triggers at once */
    ADC1->CR2 |= ADC_CR2_DMA | ADC_CR2_DDS | ADC_CR2_EXTSEL_TIM2_TRGO | ADC_CR2_EXTEN_RISING;
    ein_timer_start(TIM2, US_PER_S, period_us - 1u);
    read_at = 0;
    waited = 0;
    looked_us = ein_timer_us();
}

bool ein_adc_start(uint16_t rate_hz, ein_bus_on_adc_t handler, void *context)
{
    if (rate_hz == 0 || rate_hz > MAX_RATE_HZ) {
        return false;
    }
    rcc_enable(&RCC->AHB1ENR, RCC_AHB1ENR_DMA2);
    rcc_enable(&RCC->APB1ENR, RCC_APB1ENR_TIM2);
    rcc_enable(&RCC->APB2ENR, RCC_APB2ENR_ADC1);
    pin_mode(PA(EIN_BOARD_ADC_CHANNEL), PIN_ANALOGUE, 0u);
    on_adc = handler;
    adc_context = context;
    period_us = US_PER_S / rate_hz;
    lost = 0;
    TIM2->CR2 = TIM_CR2_MMS_UPDATE;
    begin();
    return true;
}

void ein_adc_stop(void)
{
    on_adc = 0;
    if ((RCC->AHB1ENR & RCC_AHB1ENR_DMA2) == 0) {
        return; /* it never began */
    }
    TIM2->CR1 = 0;
    ADC1->CR2 = 0;
    let_dma_end();
}

/* Conversions that wait; what was overwritten goes to `lost`. */
static uint32_t look(uint32_t now_us)
{
    const uint32_t at = EIN_ADC_RING - DMA2->stream[0].NDTR;
    uint32_t waiting = (at + EIN_ADC_RING - read_at) % EIN_ADC_RING;
    /* Time says how many must have come, to within one; DMA how many beyond whole rounds. */
    const uint32_t due = waited + (now_us - looked_us) / period_us;
    const uint32_t rounds = due + MARGIN > waiting ? (due + MARGIN - waiting) / EIN_ADC_RING : 0;
    waiting += rounds * EIN_ADC_RING;
    const uint32_t kept = EIN_ADC_RING - MARGIN;
    if (waiting > kept) {
        lost += waiting - kept;
        read_at = (at + MARGIN) % EIN_ADC_RING;
        waiting = kept;
    }
    looked_us = now_us;
    waited = waiting;
    return waiting;
}

void ein_adc_serve(void)
{
    if (on_adc == 0) {
        return;
    }
    const uint32_t now_us = ein_timer_us();
    if ((ADC1->SR & ADC_SR_OVR) != 0 || (DMA2->LISR & DMA_LISR_STREAM0_ERRORS) != 0) {
        lost += waited + (now_us - looked_us) / period_us;
        begin();
        return;
    }
    uint32_t waiting = look(now_us);
    uint32_t given = 0;
    while (waiting > 0 && given < EIN_BUS_ADC_MOST) {
        uint16_t values[8];
        uint32_t n = 0;
        for (; n < 8u && waiting > 0; n++, waiting--) {
            values[n] = ring[read_at];
            read_at = (read_at + 1u) % EIN_ADC_RING;
        }
        waited = waiting;
        given += n;
        const uint32_t before = lost;
        lost = 0;
        on_adc(adc_context, values, n, before, now_us - waiting * period_us);
    }
}
