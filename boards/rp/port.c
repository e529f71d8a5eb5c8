/* firmware/app/ein_port.h for the RP2040 and RP2350 boards. */
#include "ein_port.h"

#include "board.h"
#include "build.h"
#include "chip.h"
#include "clock.h"
#include "cycles.h"
#include "flash.h"
#include "memory.h"
#include "oversample.h"
#include "restart.h"
#include "rx.h"
#include "serial.h"
#include "stream.h"
#include "watchdog.h"

#define WAKE_ALARM 0u
#define IDLE_US 10000u

void Wake_Handler(void);

static bool streams, wanted;
static ein_reset_reason_t reset_reason;
static char serial_number[17];

void Wake_Handler(void)
{
    REG(TIMER, TIMER_INTR) = 1u << WAKE_ALARM; /* it only ends the sleep */
}

void ein_port_init(void)
{
    reset_reason = ein_restart_reason();
    ein_clock_init();
    ein_cycles_init();
    ein_flash_init();
    ein_flash_serial(serial_number);
    ein_serial_init();
    REG_SET(TIMER, TIMER_INTE) = 1u << WAKE_ALARM;
    irq_line_enable(IRQ_TIMER_0);
    ein_watchdog_start();
}

void ein_port_info(ein_port_info_t *info)
{
    *info = (ein_port_info_t){
        .board = EIN_BOARD_NAME,
        .build = EIN_BUILD,
        .serial = serial_number,
        .count_unit = EIN_COUNT_CYCLES,
        .reset_reason = reset_reason,
        .rx_buffer_bytes = EIN_RX_BYTES,
        .adc_bits = EIN_OVERSAMPLE_BITS,
        .adc_gain_lsb_per_mv = EIN_BOARD_GAIN_LSB_PER_MV,
        .adc_rail_lo = EIN_OVERSAMPLE_RAIL_LO,
        .adc_rail_hi = EIN_OVERSAMPLE_RAIL_HI,
        .stack_bytes = ein_stack_bytes(),
        .stack_used_bytes = ein_stack_used_bytes(),
        .rx_overruns = ein_serial_lost(),
    };
}

size_t ein_port_read(uint8_t *bytes, size_t n)
{
    return ein_serial_read(bytes, n);
}

size_t ein_port_write(const uint8_t *bytes, size_t n)
{
    return ein_serial_write(bytes, n);
}

uint32_t ein_port_count(void)
{
    return ein_cycles();
}

void ein_port_poll(bool idle)
{
    ein_watchdog_feed();
    if (!idle) {
        return;
    }
    REG(TIMER, TIMER_ALARM(WAKE_ALARM)) = ein_micros() + IDLE_US;
    /* With interrupts masked, one that comes after the test still ends the sleep. Samples that
       nobody asks for any more do not keep it from sleeping. */
    irq_disable();
    if (ein_serial_empty() && (!wanted || ein_stream_empty())) {
        ein_sleep();
    }
    irq_enable();
    wanted = false;
    REG(TIMER, TIMER_ARMED) = 1u << WAKE_ALARM;
}

bool ein_port_adc(int16_t *sample, uint32_t *lost)
{
    if (!streams) {
        streams = true;
        ein_stream_init();
    }
    wanted = true;
    return ein_stream_read(sample, lost);
}

void ein_port_reset(void)
{
    ein_restart(EIN_RESET_SOFTWARE);
}
