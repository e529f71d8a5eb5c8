/* firmware/app/ein_port.h for the ESP32-C3 by direct boot, without ESP-IDF. Not run on silicon yet;
   on a model of its registers. */
#include "ein_port.h"

#include "board.h"
#include "build.h"
#include "chip.h"
#include "clock.h"
#include "interrupts.h"
#include "memory.h"
#include "restart.h"
#include "riscv.h"
#include "serial.h"
#include "stream.h"
#include "watchdog.h"

#define IDLE_TICKS (SYSTIMER_HZ / 100u)

int main(void);

static bool streams, wanted;
static ein_reset_reason_t reset_reason;
static char serial_number[13];

void ein_start(void)
{
    ein_memory_init();
    main();
    for (;;) {
    }
}

static void read_serial_number(void)
{
    const uint64_t mac =
        (uint64_t)(REG(EFUSE, EFUSE_MAC_HIGH) & 0xFFFFu) << 32 | REG(EFUSE, EFUSE_MAC_LOW);
    for (unsigned i = 0; i < 12u; i++) {
        serial_number[i] = "0123456789abcdef"[mac >> (44u - 4u * i) & 15u];
    }
}

void ein_port_init(void)
{
    reset_reason = ein_restart_reason();
    ein_watchdog_start();
    ein_clock_init();
    read_serial_number();
    ein_serial_init();
    ein_period_start(EIN_TARGET_WAKE, IDLE_TICKS, EIN_LINE_WAKE);
    irq_enable();
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
        .rx_overruns = ein_received.lost,
    };
}

size_t ein_port_read(uint8_t *bytes, size_t n)
{
    return ein_rx_take(&ein_received, bytes, n);
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
    /* With interrupts masked, one that comes after the test still ends the sleep. Samples that
       nobody asks for any more do not keep it from sleeping. */
    irq_disable();
    if (ein_rx_empty(&ein_received) && (!wanted || ein_oversample_empty(&ein_conversions))) {
        ein_sleep();
    }
    irq_enable();
    wanted = false;
}

bool ein_port_adc(int16_t *sample, uint32_t *lost)
{
    if (!streams) {
        streams = true;
        ein_stream_init();
    }
    wanted = true;
    return ein_oversample_read(&ein_conversions, sample, lost);
}

void ein_port_reset(void)
{
    ein_restart(EIN_RESET_SOFTWARE);
}
