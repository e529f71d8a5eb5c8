/* A port to fill in: copy this folder to boards/<your board>/ and replace what is marked FILL IN.
 * firmware/app/ein_port.h is the contract; docs/boards.md walks through it. boards/host/port.c
 * (POSIX) and boards/stm32f4/ (bare metal) are complete examples.
 *
 * As it stands it compiles for any target and does nothing: nothing arrives, nothing leaves.
 */
#include "ein_port.h"

/* The ring that the receive interrupt fills. It decides how much the host may send ahead: 1 KB
   keeps a link of 115200 baud busy while the model runs. A power of two, at least 512. */
#define RX_BYTES 1024u

static volatile uint8_t rx[RX_BYTES];
static volatile uint32_t rx_head; /* written by the interrupt only */
static volatile uint32_t rx_tail; /* written by the main loop only */
static volatile uint32_t rx_overruns;

/* FILL IN: call this from the UART's receive interrupt, once for every byte. */
void board_on_received(uint8_t byte)
{
    if (rx_head - rx_tail >= RX_BYTES) {
        rx_overruns++;
        return;
    }
    rx[rx_head % RX_BYTES] = byte;
    rx_head++;
}

void ein_port_init(void)
{
    /* FILL IN, each wait with a bound: clocks (fall back to the internal oscillator if the crystal
       does not start), UART with receive interrupt, cycle counter, watchdog (2 s to 10 s). */
}

void ein_port_info(ein_port_info_t *info)
{
    *info = (ein_port_info_t){
        .board = "template", /* FILL IN: the name of the folder */
        .build = "",
        .serial = "",                      /* FILL IN: the chip's unique number, in hex */
        .count_unit = EIN_COUNT_NONE,      /* FILL IN: EIN_COUNT_CYCLES with DWT->CYCCNT */
        .reset_reason = EIN_RESET_UNKNOWN, /* FILL IN: from the reset flags, then clear them */
        .rx_buffer_bytes = RX_BYTES,
        .adc_bits = 12,             /* FILL IN, and the same in board.toml: */
        .adc_gain_lsb_per_mv = 200, /* counts per millivolt at the electrodes */
        .adc_rail_lo = -2048,
        .adc_rail_hi = 2047,
        .stack_bytes = 0,      /* FILL IN: from the linker script */
        .stack_used_bytes = 0, /* FILL IN: paint the stack at start, search here */
        .rx_overruns = rx_overruns,
    };
}

size_t ein_port_read(uint8_t *bytes, size_t n)
{
    size_t taken = 0;
    while (taken < n && rx_tail != rx_head) {
        bytes[taken] = rx[rx_tail % RX_BYTES];
        rx_tail++;
        taken++;
    }
    return taken;
}

size_t ein_port_write(const uint8_t *bytes, size_t n)
{
    /* FILL IN: for each byte wait until the transmitter is free, at most 100 ms in all, then hand
       it over. Polling is enough: the board sends little. */
    (void)bytes;
    (void)n;
    return 0;
}

uint32_t ein_port_count(void)
{
    return 0; /* FILL IN: DWT->CYCCNT, a free-running timer, mcycle, ... */
}

void ein_port_poll(bool idle)
{
    /* FILL IN: feed the watchdog; if idle, wait for an interrupt (WFI). Look at the receive ring
       with interrupts off before you sleep, or a byte that has just come waits for the next one. */
    (void)idle;
}

bool ein_port_adc(int16_t *sample, uint32_t *lost)
{
    /* FILL IN for stream mode: a timer at EIN_PIPELINE_RATE_HZ starts the ADC, its interrupt puts
       the counts, minus those of 0 mV, into a small ring; take one of them here. */
    (void)sample;
    *lost = 0;
    return false;
}

/* FILL IN for a board that keeps patients' heads: a flash sector of its own, best the last one. As
   it stands the board says that it has no slot. */
bool ein_port_slot_read(uint32_t offset, void *bytes, size_t n)
{
    (void)offset;
    (void)bytes;
    (void)n;
    return false;
}

bool ein_port_slot_erase(void)
{
    return false;
}

bool ein_port_slot_write(uint32_t offset, const void *bytes, size_t n)
{
    (void)offset;
    (void)bytes;
    (void)n;
    return false;
}

void ein_port_reset(void)
{
    for (;;) {
        /* FILL IN: NVIC_SystemReset() or the like. The watchdog ends this loop in any case. */
    }
}
