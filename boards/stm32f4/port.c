/* firmware/app/ein_port.h for the STM32F4 boards. */
#include "ein_port.h"

#include "board.h"
#include "build.h"
#include "clock.h"
#include "count.h"
#include "ein_pipeline.h"
#include "memory.h"
#include "oversample.h"
#include "restart.h"
#include "rx.h"
#include "serial.h"
#include "slot.h"
#include "stm32_port.h"
#include "stm32f4.h"
#include "stream.h"

/* QEMU's machine has no IWDG. There, and nowhere else, SysTick stands in for it: it goes on between
   sleeps, and restarts the program that has not fed it for a quarter of a second. */
#define EMULATED_WATCHDOG_TICKS 25u
#define EMULATED_WATCHDOG_STREAM_TICKS (EIN_PIPELINE_RATE_HZ * EIN_OVERSAMPLING / 4u)

void SysTick_Handler(void);

static bool is_silicon;
static bool streams; /* samples are being taken */
static bool wanted;  /* by the application, since it slept */
static bool ticks;   /* by SysTick */
static volatile uint16_t unfed_ticks;
static uint32_t core_hz;
static ein_reset_reason_t reset_reason;
static char serial_number[STM32_SERIAL_CHARS];

void SysTick_Handler(void)
{
    if (ticks) {
        ein_stream_tick();
    } else if (is_silicon) {
        SYSTICK->CTRL = 0; /* one shot: it only ends the sleep */
    }
    const uint16_t most = ticks ? EMULATED_WATCHDOG_STREAM_TICKS : EMULATED_WATCHDOG_TICKS;
    if (!is_silicon && ++unfed_ticks > most) {
        ein_restart(EIN_RESET_WATCHDOG);
    }
}

/* From the 32 kHz RC oscillator (17 to 47 kHz): 2.7 s to 7.5 s. */
static void start_watchdog(void)
{
    stm32_watchdog_start(4, 2000); /* divided by 64 */
}

void ein_port_init(void)
{
    reset_reason = stm32_reset_reason(&RCC->CSR);
    const ein_clock_tree_t clock = ein_clock_tree_init();
    is_silicon = ein_count_init();
    core_hz =
        is_silicon ? clock.core_hz : EIN_BOARD_CORE_HZ; /* QEMU's is fixed, whatever RCC says */
    ein_slot_init(is_silicon);
    if (is_silicon) { /* the emulator has nothing at that address, and would fault */
        stm32_serial_number(serial_number, UNIQUE_ID);
    }
    ein_serial_init(clock.core_hz, EIN_BOARD_USART == 1 ? clock.apb2_hz : clock.apb1_hz);
    start_watchdog();
}

void ein_port_info(ein_port_info_t *info)
{
    *info = (ein_port_info_t){
        .board = EIN_BOARD_NAME,
        .build = EIN_BUILD,
        .serial = serial_number,
        .count_unit = is_silicon ? EIN_COUNT_CYCLES : EIN_COUNT_INSTRUCTIONS,
        .reset_reason = reset_reason,
        .rx_buffer_bytes = EIN_RX_BYTES,
        .stack_bytes = ein_stack_bytes(),
        .stack_used_bytes = ein_stack_used_bytes(),
        .rx_overruns = ein_serial_lost(),
    };
    ein_stream_describe(info);
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
    return ein_count_read();
}

void ein_port_poll(bool idle)
{
    IWDG->KR = IWDG_KR_FEED;
    unfed_ticks = 0;
    if (!idle || ein_stream_slept()) {
        return;
    }
    if (!ticks) { /* otherwise it ticks anyway */
        SYSTICK->LOAD = core_hz / 100 - 1;
        SYSTICK->VAL = 0;
        SYSTICK->CTRL = SYSTICK_CTRL_CLKSOURCE | SYSTICK_CTRL_TICKINT | SYSTICK_CTRL_ENABLE;
    }
    /* With interrupts masked, one that comes after the test still ends the sleep. Samples that
       nobody asks for any more do not keep it from sleeping. */
    irq_disable();
    if (ein_serial_empty() && (!wanted || ein_stream_empty())) {
        __asm volatile("dsb\n wfi" ::: "memory");
    }
    irq_enable();
    wanted = false;
    if (!ticks && is_silicon) {
        SYSTICK->CTRL = 0;
    }
}

bool ein_port_adc(int16_t *sample, uint32_t *lost)
{
    if (!streams) {
        streams = true;
        ticks = ein_stream_begin(core_hz);
    }
    wanted = true;
    return ein_stream_read(sample, lost);
}

void ein_port_reset(void)
{
    ein_restart(EIN_RESET_SOFTWARE);
}
