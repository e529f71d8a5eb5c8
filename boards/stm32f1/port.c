/* firmware/app/ein_port.h for the STM32F1 boards.
 *
 * Samples and received bytes come by DMA. Interrupts stay masked for ever: the receiver's and
 * SysTick's only end a sleep, which a masked one does, too.
 */
#include "ein_port.h"

#include "board.h"
#include "build.h"
#include "clock.h"
#include "kept.h"
#include "memory.h"
#include "oversample.h"
#include "restart.h"
#include "rx.h"
#include "serial.h"
#include "stm32_port.h"
#include "stm32f1.h"
#include "stream.h"

static uint32_t core_hz;
static ein_reset_reason_t reset_reason;
static char serial_number[STM32_SERIAL_CHARS];

static void start_counter(void)
{
    DEMCR |= DEMCR_TRCENA;
    DWT_CYCCNT = 0;
    DWT_CTRL |= DWT_CTRL_CYCCNTENA;
}

/* From the 40 kHz RC oscillator (30 to 60 kHz): 2.7 s to 5.3 s. */
static void start_watchdog(void)
{
    stm32_watchdog_start(4, 2500); /* divided by 64 */
}

void ein_restart(ein_reset_reason_t reason)
{
    ein_serial_flush();
    _kept = (ein_kept_t){.magic = EIN_KEPT_MAGIC, .reason = (uint32_t)reason};
    SCB->AIRCR = SCB_AIRCR_RESET;
    for (;;) {
    }
}

void ein_port_init(void)
{
    irq_disable();
    reset_reason = stm32_reset_reason(&RCC->CSR);
    core_hz = ein_clock_tree_init();
    start_counter();
    stm32_serial_number(serial_number, UNIQUE_ID);
    ein_serial_init(core_hz, core_hz); /* the bus, APB2, is not divided */
    ein_stream_init(core_hz);
    start_watchdog();
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
    return DWT_CYCCNT;
}

void ein_port_poll(bool idle)
{
    IWDG->KR = IWDG_KR_FEED;
    ein_stream_poll();
    if (!idle) {
        return;
    }
    SYSTICK->LOAD = core_hz / 100u - 1u;
    SYSTICK->VAL = 0;
    SYSTICK->CTRL = SYSTICK_CTRL_ON;
    /* What comes behind the test still ends the sleep. */
    nvic_clear(IRQ_USART1);
    if (ein_serial_empty()) {
        ein_sleep();
    }
    SYSTICK->CTRL = 0;
    SCB->ICSR = SCB_ICSR_PENDSTCLR;
}

bool ein_port_adc(int16_t *sample, uint32_t *lost)
{
    return ein_stream_read(sample, lost);
}

void ein_port_reset(void)
{
    ein_restart(EIN_RESET_SOFTWARE);
}
