/* firmware/app/ein_port.h for Arm's MPS boards as QEMU emulates them: UART and clock of the
   Cortex-M System Design Kit (Arm DDI 0479), the counter of the board's FPGA (Arm DAI 0385, 0505,
   0547). There is no ADC. SysTick stands in for a watchdog: its interrupt is taken when nobody fed
   it for a quarter of a second, and restarts the program. */
#include "ein_port.h"

#include "board.h"
#include "build.h"
#include "cortex_m.h"
#include "kept.h"
#include "memory.h"
#include "restart.h"
#include "rx.h"

typedef struct {
    reg_t DATA, STATE, CTRL, INTSTATUS, BAUDDIV;
} uart_t;

#define UART ((uart_t *)EIN_BOARD_UART)
#define UART_STATE_TX_FULL 1u
#define UART_STATE_RX_FULL 2u
#define UART_STATE_RX_OVERRUN 8u
#define UART_CTRL_ON 0xBu /* send, receive, an interrupt when a byte has come */
#define UART_INT_RX 2u
#define UART_BAUDDIV_LEAST 16u
#define FPGA_COUNTER (*(reg_t *)(EIN_BOARD_FPGAIO + 0x18u))

#define WRITE_POLLS 1000000u

void SysTick_Handler(void);
void Uart_Handler(void);

static ein_rx_t rx;
static ein_reset_reason_t reset_reason;

/* What only ends a sleep is never taken: interrupts are masked then. */
void SysTick_Handler(void)
{
    ein_restart(EIN_RESET_WATCHDOG);
}

static void tick_in(uint32_t cycles)
{
    SYSTICK->LOAD = cycles - 1u;
    SYSTICK->VAL = 0;
    SYSTICK->CTRL = SYSTICK_CTRL_ON;
    SCB->ICSR = SCB_ICSR_PENDSTCLR;
}

void Uart_Handler(void)
{
    UART->INTSTATUS = UART_INT_RX;
    while ((UART->STATE & UART_STATE_RX_FULL) != 0) {
        rx.lost += (UART->STATE & UART_STATE_RX_OVERRUN) != 0;
        UART->STATE = UART_STATE_RX_OVERRUN;
        ein_rx_put(&rx, (uint8_t)UART->DATA);
    }
}

void ein_restart(ein_reset_reason_t reason)
{
    _kept = (ein_kept_t){.magic = EIN_KEPT_MAGIC, .reason = (uint32_t)reason};
    SCB->AIRCR = SCB_AIRCR_RESET;
    for (;;) {
    }
}

void ein_port_init(void)
{
    if (_kept.magic == EIN_KEPT_MAGIC) {
        _kept.magic = 0;
        reset_reason = (ein_reset_reason_t)_kept.reason;
    }
    UART->BAUDDIV = UART_BAUDDIV_LEAST;
    UART->CTRL = UART_CTRL_ON;
    nvic_enable(EIN_BOARD_UART_IRQ);
}

void ein_port_info(ein_port_info_t *info)
{
    *info = (ein_port_info_t){
        .board = EIN_BOARD_NAME,
        .build = EIN_BUILD,
        .serial = "",
        .count_unit = EIN_COUNT_INSTRUCTIONS,
        .reset_reason = reset_reason,
        .rx_buffer_bytes = EIN_RX_BYTES,
        .adc_bits = 12,
        .adc_gain_lsb_per_mv = EIN_BOARD_GAIN_LSB_PER_MV,
        .adc_rail_lo = -2048,
        .adc_rail_hi = 2047,
        .stack_bytes = ein_stack_bytes(),
        .stack_used_bytes = ein_stack_used_bytes(),
        .rx_overruns = rx.lost,
    };
}

size_t ein_port_read(uint8_t *bytes, size_t n)
{
    return ein_rx_take(&rx, bytes, n);
}

size_t ein_port_write(const uint8_t *bytes, size_t n)
{
    uint32_t polls = WRITE_POLLS;
    for (size_t i = 0; i < n; i++) {
        while ((UART->STATE & UART_STATE_TX_FULL) != 0) {
            if (polls-- == 0) {
                return i;
            }
        }
        UART->DATA = bytes[i];
    }
    return n;
}

/* The counter ticks with the board's clock; with `-icount shift=7` an instruction takes 128 ns of
   virtual time, which is more than two ticks: rounded, their number is that of the instructions.
   Read more often than the counter wraps, every 171 s at least. */
uint32_t ein_port_count(void)
{
    static uint32_t last;
    static uint64_t ticks;
    const uint32_t now = FPGA_COUNTER;
    ticks += now - last;
    last = now;
    return (uint32_t)((ticks * EIN_BOARD_INSTRUCTIONS + EIN_BOARD_TICKS / 2u) / EIN_BOARD_TICKS);
}

void ein_port_poll(bool idle)
{
    (void)ein_port_count();
    /* With interrupts masked, one that comes after the test still ends the sleep. */
    irq_disable();
    if (idle && ein_rx_empty(&rx)) {
        tick_in(EIN_BOARD_CORE_HZ / 100u);
        ein_sleep();
    }
    tick_in(EIN_BOARD_CORE_HZ / 4u);
    irq_enable();
}

bool ein_port_adc(int16_t *sample, uint32_t *dropped)
{
    (void)sample;
    *dropped = 0;
    return false;
}

void ein_port_reset(void)
{
    ein_restart(EIN_RESET_SOFTWARE);
}
