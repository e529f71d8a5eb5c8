/* direct.ld puts the code of this file into RAM (interrupts.h). So nothing here calls what lies
   elsewhere, nor reads a constant of the flash. */
#include "interrupts.h"

#include "chip.h"

ein_rx_t ein_received;
ein_oversample_t ein_conversions;

void ein_on_uart(void)
{
    const uint32_t why = REG(UART0, UART_INT_ST);
    ein_received.lost += (why & UART_INT_RX_OVERFLOW) != 0;
    while (UART_STATUS_RX(REG(UART0, UART_STATUS)) > 0) {
        ein_rx_put(&ein_received, (uint8_t)REG(UART0, UART_FIFO));
    }
    REG(UART0, UART_INT_CLR) = why;
}

/* A conversion is started at one tick and read at the next: it takes some 10 us of 694. The start
   bit may be as short as it is here, as ADC1's controller has an eighth of its bus's clock or more
   (ESP-IDF's adc_oneshot_hal.c, "verified from DT"). */
void ein_on_stream(void)
{
    int16_t sample;
    const uint32_t value = REG(SARADC, SARADC_DATA1) & EIN_OVERSAMPLE_FULL;
    const uint32_t setting = REG(SARADC, SARADC_ONETIME);
    REG(SYSTIMER, SYSTIMER_INT_CLR) = 1u << EIN_TARGET_STREAM;
    REG(SARADC, SARADC_ONETIME) = setting | SARADC_ONETIME_START;
    if (ein_oversample_add(&ein_conversions, value, &sample)) {
        ein_oversample_put(&ein_conversions, sample);
    }
    REG(SARADC, SARADC_ONETIME) = setting & ~SARADC_ONETIME_START;
}

void ein_on_wake(void)
{
    REG(SYSTIMER, SYSTIMER_INT_CLR) = 1u << EIN_TARGET_WAKE; /* it only ends the sleep */
}

void ein_line_enable(uint32_t source, uint32_t line)
{
    REG(INTERRUPTS, INTERRUPT_MAP(source)) = line;
    REG(INTERRUPTS, INTERRUPT_PRIORITY(line)) = 1;
    REG(INTERRUPTS, INTERRUPT_THRESHOLD) = 1;
    REG(INTERRUPTS, INTERRUPT_ENABLE) = REG(INTERRUPTS, INTERRUPT_ENABLE) | 1u << line;
}

/* 10.5.3: the mode is taken by its edge. */
void ein_period_start(uint32_t target, uint32_t ticks, uint32_t line)
{
    REG(SYSTIMER, SYSTIMER_TARGET_CONF(target)) = ticks;
    REG(SYSTIMER, SYSTIMER_COMP_LOAD(target)) = 1;
    REG(SYSTIMER, SYSTIMER_TARGET_CONF(target)) = ticks | SYSTIMER_TARGET_PERIODIC;
    REG(SYSTIMER, SYSTIMER_CONF) = REG(SYSTIMER, SYSTIMER_CONF) | SYSTIMER_CONF_TARGET(target);
    REG(SYSTIMER, SYSTIMER_INT_CLR) = 1u << target;
    REG(SYSTIMER, SYSTIMER_INT_ENA) = REG(SYSTIMER, SYSTIMER_INT_ENA) | 1u << target;
    ein_line_enable(INTERRUPT_SOURCE_SYSTIMER(target), line);
}
