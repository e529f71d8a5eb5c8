/* Eight conversions make one sample: their mean is an anti-aliasing filter of a kind, and takes
   noise off. A conversion is started at one tick and read at the next, so nothing waits for it. */
#include "stream.h"

#ifdef EIN_DEVICE
#include "emulated.h"
#endif
#include "ein_pipeline.h"
#include "rx.h"
#include "stm32f4.h"

#define OVERSAMPLING 8u
#define CHANNEL 1u
#define ADC_FULL 4095u
#define RING_SAMPLES 32u /* 0.18 s at 180 Hz: longer than an inference takes */

typedef struct {
    int16_t value;
    uint16_t dropped; /* samples before this one for which there was no room */
} entry_t;

static entry_t ring[RING_SAMPLES];
static volatile uint32_t ring_head; /* written by the interrupt only */
static volatile uint32_t ring_tail; /* written by the main loop only */

static int16_t sample_of(uint32_t sum, uint32_t lowest, uint32_t highest)
{
    /* One saturated conversion spoils the mean, so it makes the sample a rail. */
    if (lowest == 0) {
        return EIN_STREAM_RAIL_LO;
    }
    if (highest == ADC_FULL) {
        return EIN_STREAM_RAIL_HI;
    }
    return (int16_t)((int32_t)((sum + OVERSAMPLING / 2) / OVERSAMPLING) - 2048);
}

void ein_stream_tick(void)
{
    static uint32_t sum, count, lowest = ADC_FULL, highest;
    static uint16_t dropped;

    const uint32_t value = ADC1->DR & ADC_FULL;
    ADC1->CR2 = ADC_CR2_ADON | ADC_CR2_SWSTART;
    sum += value;
    lowest = value < lowest ? value : lowest;
    highest = value > highest ? value : highest;
    if (++count < OVERSAMPLING) {
        return;
    }
    const uint32_t head = ring_head;
    int16_t sample = sample_of(sum, lowest, highest);
#ifdef EIN_DEVICE
    ein_emulated_sample(&sample); /* in the emulator, which has nothing to sample */
#endif
    if (head - ring_tail < RING_SAMPLES) {
        ring[head % RING_SAMPLES] = (entry_t){sample, dropped};
        ein_compiler_barrier();
        ring_head = head + 1;
        dropped = 0;
    } else if (dropped < UINT16_MAX) {
        dropped++;
    }
    sum = count = highest = 0;
    lowest = ADC_FULL;
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

    const uint32_t tick_hz = EIN_PIPELINE_RATE_HZ * OVERSAMPLING;
    SYSTICK->LOAD = (core_hz + tick_hz / 2) / tick_hz - 1;
    SYSTICK->VAL = 0;
    SYSTICK->CTRL = SYSTICK_CTRL_CLKSOURCE | SYSTICK_CTRL_TICKINT | SYSTICK_CTRL_ENABLE;
}

bool ein_stream_empty(void)
{
    return ring_head == ring_tail;
}

bool ein_stream_read(int16_t *sample, uint32_t *dropped)
{
    const uint32_t tail = ring_tail;
    if (ring_head == tail) {
        return false;
    }
    ein_compiler_barrier();
    const entry_t entry = ring[tail % RING_SAMPLES];
    ein_compiler_barrier();
    ring_tail = tail + 1;
    *sample = entry.value;
    *dropped = entry.dropped;
    return true;
}
