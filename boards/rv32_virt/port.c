/* firmware/app/ein_port.h for QEMU's `virt` machine: 16550 UART, PLIC, CLINT, SiFive test device.

   Sources: the RISC-V privileged specification, the PLIC specification 1.0, and QEMU's
   hw/riscv/virt.c for addresses and interrupt numbers. There is no ADC. The machine has no
   watchdog; the core's timer stands in for one: its interrupt is taken when nobody fed it for half
   a second, and restarts the program. */
#include "ein_port.h"

#include "board.h"
#include "build.h"
#include "kept.h"
#include "memory.h"
#include "restart.h"
#include "riscv.h"
#include "rx.h"

typedef volatile uint8_t reg8_t;

#define UART ((reg8_t *)0x10000000u)
enum { UART_DATA = 0, UART_IER = 1, UART_FCR = 2, UART_LCR = 3, UART_LSR = 5 };
#define UART_IER_RX 0x01u
#define UART_FCR_ON 0x07u /* and both FIFOs emptied */
#define UART_LCR_8N1 0x03u
#define UART_LSR_READY 0x01u
#define UART_LSR_OVERRUN 0x02u
#define UART_LSR_ROOM 0x20u
#define UART_IRQ 10u

#define PLIC_PRIORITY ((reg_t *)0x0C000000u)
#define PLIC_ENABLE (*(reg_t *)0x0C002000u)
#define PLIC_THRESHOLD (*(reg_t *)0x0C200000u)
#define PLIC_CLAIM (*(reg_t *)0x0C200004u)

#define MTIMECMP ((reg_t *)0x02004000u)
#define MTIME ((reg_t *)0x0200BFF8u)
#define MTIME_HZ 10000000u
#define IDLE_TICKS (MTIME_HZ / 100u)
#define WATCHDOG_TICKS (MTIME_HZ / 4u)

#define TEST_DEVICE (*(reg_t *)0x00100000u)
#define TEST_DEVICE_RESET 0x7777u

/* Naturally aligned power of two, locked for machine mode too: read and execute only. */
#define PMP_READ_EXECUTE_LOCKED 0x9Du

#define WRITE_POLLS 1000000u

int main(void);
void ein_on_timer(void) __attribute__((interrupt("machine")));
void ein_on_external(void) __attribute__((interrupt("machine")));

static ein_rx_t rx;
static ein_reset_reason_t reset_reason;

void ein_start(void)
{
    csr_write(pmpaddr0, (0x80000000u | (512u * 1024u / 2 - 1)) >> 2);
    csr_write(pmpcfg0, PMP_READ_EXECUTE_LOCKED);
    ein_memory_init();
    main();
    for (;;) {
    }
}

void ein_on_external(void)
{
    const uint32_t source = PLIC_CLAIM;
    for (uint8_t status; ((status = UART[UART_LSR]) & UART_LSR_READY) != 0;) {
        rx.lost += (status & UART_LSR_OVERRUN) != 0;
        ein_rx_put(&rx, UART[UART_DATA]);
    }
    PLIC_CLAIM = source;
}

void ein_restart(ein_reset_reason_t reason)
{
    _kept = (ein_kept_t){.magic = EIN_KEPT_MAGIC, .reason = (uint32_t)reason};
    TEST_DEVICE = TEST_DEVICE_RESET;
    for (;;) {
    }
}

/* What only ends a sleep is never taken: interrupts are masked then. */
void ein_on_timer(void)
{
    ein_restart(EIN_RESET_WATCHDOG);
}

static void timer_in(uint32_t ticks)
{
    const uint32_t now = MTIME[0];
    const uint32_t then = now + ticks;
    MTIMECMP[1] = UINT32_MAX;
    MTIMECMP[0] = then;
    MTIMECMP[1] = MTIME[1] + (then < now);
}

void ein_port_init(void)
{
    if (_kept.magic == EIN_KEPT_MAGIC) {
        _kept.magic = 0;
        reset_reason = (ein_reset_reason_t)_kept.reason;
    }
    UART[UART_LCR] = UART_LCR_8N1;
    UART[UART_FCR] = UART_FCR_ON;
    UART[UART_IER] = UART_IER_RX;
    PLIC_PRIORITY[UART_IRQ] = 1;
    PLIC_ENABLE = 1u << UART_IRQ;
    PLIC_THRESHOLD = 0;
    timer_in(WATCHDOG_TICKS);
    csr_write(mie, MIE_EXTERNAL | MIE_TIMER);
    irq_enable();
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
        while ((UART[UART_LSR] & UART_LSR_ROOM) == 0) {
            if (polls-- == 0) {
                return i;
            }
        }
        UART[UART_DATA] = bytes[i];
    }
    return n;
}

uint32_t ein_port_count(void)
{
    uint32_t count;
    __asm volatile("csrr %0, minstret" : "=r"(count));
    return count;
}

void ein_port_poll(bool idle)
{
    /* With interrupts masked, one that comes after the test still ends the sleep. */
    irq_disable();
    if (idle && ein_rx_empty(&rx)) {
        timer_in(IDLE_TICKS);
        ein_sleep();
    }
    timer_in(WATCHDOG_TICKS);
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
