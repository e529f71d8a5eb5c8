/* A conversion is started at one alarm and read at the next, so nothing waits for it: it takes 2 us
   (data sheet, 4.9.2). The alarms come every 694 or 695 us, 694.4 in the mean: the rate is exact,
   and what a microsecond more or less does to a conversion is far below its noise. */
#include "stream.h"

#include "chip.h"
#include "clock.h"
#include "ein_pipeline.h"
#include "oversample.h"

#define PIN 26u
#define CHANNEL 0u
#define ALARM 1u
#define TICK_HZ (EIN_PIPELINE_RATE_HZ * EIN_OVERSAMPLING)
#define US_PER_S 1000000u

void Stream_Handler(void);

static ein_oversample_t conversions;
static uint32_t next_us, remainder;

static void arm(void)
{
    next_us += (US_PER_S + remainder) / TICK_HZ;
    remainder = (US_PER_S + remainder) % TICK_HZ;
    REG(TIMER, TIMER_ALARM(ALARM)) = next_us;
}

void Stream_Handler(void)
{
    int16_t sample;
    REG(TIMER, TIMER_INTR) = 1u << ALARM;
    /* Held up for longer than a tick, as by a write of the flash: the alarm fires at equality only.
     */
    do {
        if (ein_oversample_add(&conversions, REG(ADC, ADC_RESULT), &sample)) {
            ein_oversample_put(&conversions, sample);
        }
        arm();
    } while ((int32_t)(next_us - ein_micros()) <= 1);
    REG_SET(ADC, ADC_CS) = ADC_CS_START;
}

void ein_stream_init(void)
{
    ein_unreset(RESET_ADC);
    REG(PADS_BANK0, PAD(PIN)) = PAD_OUTPUT_OFF; /* neither input buffer nor pulls */
    REG(IO_BANK0, GPIO_CTRL(PIN)) = GPIO_FUNCTION_NONE;
    REG(ADC, ADC_CS) = ADC_CS_EN | ADC_CS_CHANNEL(CHANNEL);
    (void)ein_wait_for(ADC, ADC_CS, ADC_CS_READY); /* what is started before is not converted */
    REG_SET(ADC, ADC_CS) = ADC_CS_START;
    next_us = ein_micros();
    REG_SET(TIMER, TIMER_INTE) = 1u << ALARM;
    irq_line_enable(IRQ_TIMER_1);
    arm();
}

bool ein_stream_empty(void)
{
    return ein_oversample_empty(&conversions);
}

bool ein_stream_read(int16_t *sample, uint32_t *dropped)
{
    return ein_oversample_read(&conversions, sample, dropped);
}
