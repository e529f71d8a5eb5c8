/* firmware/app/ein_port.h for the ESP32-C3 by direct boot, without ESP-IDF: UART0, the watchdog of
   timer group 0, the core's cycle counter; 40 MHz from the crystal, as the boot ROM leaves it but
   undivided. The ADC and the slot in flash are not done: stream mode has no samples, and a
   patient's head is not kept. Not run on silicon yet. */
#include "ein_port.h"

#include "board.h"
#include "build.h"
#include "chip.h"
#include "kept.h"
#include "memory.h"
#include "restart.h"
#include "riscv.h"
#include "rx.h"

#define CAUSE_POWER 0x01u
#define CAUSE_BROWN_OUT 0x0Fu
#define CAUSE_SOFTWARE 0x03u
#define CAUSE_WATCHDOG 0x07u
#define UART_INTERRUPT 1u
#define RX_FULL_AT 32u
#define DIVIDER_16THS ((XTAL_HZ * 16u + EIN_BOARD_BAUD / 2u) / EIN_BOARD_BAUD)
#define WATCHDOG_PRESCALE (40000u << 16) /* a millisecond */
#define WATCHDOG_MS 4000u
#define WRITE_CYCLES (XTAL_HZ / 10u)
/* Performance counter of the core (technical reference manual, 1.5.2). */
#define MPCER_CYCLES 1

int main(void);
void ein_on_uart(void) __attribute__((interrupt("machine")));

static ein_rx_t rx;
static ein_reset_reason_t reset_reason;
static char serial_number[13];

void ein_start(void)
{
    ein_memory_init();
    main();
    for (;;) {
    }
}

void ein_on_uart(void)
{
    const uint32_t why = REG(UART0, UART_INT_ST);
    rx.lost += (why & UART_INT_RX_OVERFLOW) != 0;
    while (UART_STATUS_RX(REG(UART0, UART_STATUS)) > 0) {
        ein_rx_put(&rx, (uint8_t)REG(UART0, UART_FIFO));
    }
    REG(UART0, UART_INT_CLR) = why;
}

static void flush(void)
{
    const uint32_t start = ein_port_count();
    while (UART_STATUS_TX(REG(UART0, UART_STATUS)) > 0 ||
           UART_FSM_TX(REG(UART0, UART_FSM_STATUS)) != 0) {
        if (ein_port_count() - start > WRITE_CYCLES) {
            break;
        }
    }
}

void ein_restart(ein_reset_reason_t reason)
{
    flush();
    REG(RTC_CNTL, RTC_STORE0) = EIN_KEPT_MAGIC;
    REG(RTC_CNTL, RTC_STORE1) = (uint32_t)reason;
    REG(RTC_CNTL, RTC_OPTIONS0) = REG(RTC_CNTL, RTC_OPTIONS0) | RTC_OPTIONS0_RESET;
    for (;;) {
    }
}

static ein_reset_reason_t read_reset_reason(void)
{
    const uint32_t kept = REG(RTC_CNTL, RTC_STORE0);
    REG(RTC_CNTL, RTC_STORE0) = 0;
    switch (RTC_RESET_CAUSE(REG(RTC_CNTL, RTC_RESET_STATE))) {
    case CAUSE_POWER:
    case CAUSE_BROWN_OUT:
        return EIN_RESET_POWER;
    case CAUSE_SOFTWARE:
        return kept == EIN_KEPT_MAGIC ? (ein_reset_reason_t)REG(RTC_CNTL, RTC_STORE1)
                                      : EIN_RESET_SOFTWARE;
    case CAUSE_WATCHDOG:
        return EIN_RESET_WATCHDOG;
    default:
        return EIN_RESET_UNKNOWN;
    }
}

/* The boot ROM leaves two watchdogs running, which end a program that does not know of them. */
static void start_watchdog(void)
{
    REG(RTC_CNTL, RTC_WDT_PROTECT) = WDT_KEY;
    REG(RTC_CNTL, RTC_WDT_CONFIG0) = 0;
    REG(RTC_CNTL, RTC_WDT_PROTECT) = 0;
    REG(RTC_CNTL, RTC_SWD_PROTECT) = RTC_SWD_KEY;
    REG(RTC_CNTL, RTC_SWD_CONF) = REG(RTC_CNTL, RTC_SWD_CONF) | RTC_SWD_CONF_FEEDS_ITSELF;
    REG(RTC_CNTL, RTC_SWD_PROTECT) = 0;

    REG(TIMG0, TIMG_WDT_PROTECT) = WDT_KEY;
    REG(TIMG0, TIMG_WDT_CONFIG0) = 0;
    REG(TIMG0, TIMG_WDT_PRESCALE) = WATCHDOG_PRESCALE;
    REG(TIMG0, TIMG_WDT_STAGE0) = WATCHDOG_MS;
    REG(TIMG0, TIMG_WDT_CONFIG0) = TIMG_WDT_RESETS_SYSTEM;
    REG(TIMG0, TIMG_WDT_FEED) = 1;
    REG(TIMG0, TIMG_WDT_PROTECT) = 0;
}

static void feed_watchdog(void)
{
    REG(TIMG0, TIMG_WDT_PROTECT) = WDT_KEY;
    REG(TIMG0, TIMG_WDT_FEED) = 1;
    REG(TIMG0, TIMG_WDT_PROTECT) = 0;
}

/* The pins are the ROM's: GPIO20 and 21, which it spoke on already. */
static void start_uart(void)
{
    flush();
    REG(UART0, UART_CLK_CONF) = UART_CLK_CONF_XTAL;
    REG(UART0, UART_CLKDIV) = UART_CLKDIV_OF(DIVIDER_16THS / 16u, DIVIDER_16THS % 16u);
    REG(UART0, UART_CONF0) = UART_CONF0_8N1 | UART_CONF0_RX_RESET;
    REG(UART0, UART_CONF0) = UART_CONF0_8N1;
    REG(UART0, UART_CONF1) = UART_CONF1_RX_FULL_AT(RX_FULL_AT) | UART_CONF1_RX_TIMEOUT;
    REG(UART0, UART_ID) = UART_ID_UPDATE;
    REG(UART0, UART_INT_CLR) = UINT32_MAX;
    REG(UART0, UART_INT_ENA) = UART_INT_RX_FULL | UART_INT_RX_OVERFLOW | UART_INT_RX_TIMEOUT;

    REG(INTERRUPTS, INTERRUPT_UART_MAP) = UART_INTERRUPT;
    REG(INTERRUPTS, INTERRUPT_PRIORITY(UART_INTERRUPT)) = 1;
    REG(INTERRUPTS, INTERRUPT_THRESHOLD) = 1;
    REG(INTERRUPTS, INTERRUPT_ENABLE) = 1u << UART_INTERRUPT;
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
    reset_reason = read_reset_reason();
    start_watchdog();
    __asm volatile("csrw 0x7E0, %0\n csrw 0x7E1, %0" ::"r"(MPCER_CYCLES));
    REG(SYSTEM, SYSTEM_SYSCLK) = SYSTEM_SYSCLK_XTAL;
    read_serial_number();
    start_uart();
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
    const uint32_t start = ein_port_count();
    for (size_t i = 0; i < n; i++) {
        while (UART_STATUS_TX(REG(UART0, UART_STATUS)) >= UART_FIFO_BYTES - 1u) {
            if (ein_port_count() - start > WRITE_CYCLES) {
                return i;
            }
        }
        REG(UART0, UART_FIFO) = bytes[i];
    }
    return n;
}

uint32_t ein_port_count(void)
{
    uint32_t count;
    __asm volatile("csrr %0, 0x7E2" : "=r"(count));
    return count;
}

/* It does not sleep: its cycle counter would stand still, by which it waits. */
void ein_port_poll(bool idle)
{
    (void)idle;
    feed_watchdog();
}

bool ein_port_adc(int16_t *sample, uint32_t *dropped)
{
    (void)sample;
    *dropped = 0;
    return false;
}

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
    ein_restart(EIN_RESET_SOFTWARE);
}
