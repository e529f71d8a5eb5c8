#include "serial.h"

#include <stdbool.h>

#include "board.h"
#include "chip.h"
#include "clock.h"
#include "interrupts.h"

#define RX_FULL_AT 32u
#define DIVIDER_16THS ((XTAL_HZ * 16u + EIN_BOARD_BAUD / 2u) / EIN_BOARD_BAUD)
#define WAIT_CYCLES (EIN_CORE_HZ / 10u)
#define UPDATE_POLLS 1000u

void ein_serial_flush(void)
{
    const uint32_t start = ein_cycles();
    while (UART_STATUS_TX(REG(UART0, UART_STATUS)) > 0 ||
           UART_FSM_TX(REG(UART0, UART_FSM_STATUS)) != 0) {
        if (ein_cycles() - start > WAIT_CYCLES) {
            break;
        }
    }
}

/* What was written reaches the UART's own clock (26.5.1). */
static void update(void)
{
    REG(UART0, UART_ID) = UART_ID_UPDATE;
    for (uint32_t i = 0; i < UPDATE_POLLS && (REG(UART0, UART_ID) & UART_ID_UPDATE) != 0; i++) {
    }
}

void ein_serial_init(void)
{
    ein_serial_flush(); /* of the ROM's words */
    REG(UART0, UART_CLK_CONF) = UART_CLK_CONF_XTAL;
    REG(UART0, UART_CLKDIV) = UART_CLKDIV_OF(DIVIDER_16THS / 16u, DIVIDER_16THS % 16u);
    REG(UART0, UART_CONF0) = UART_CONF0_8N1 | UART_CONF0_RX_RESET;
    update();
    REG(UART0, UART_CONF0) = UART_CONF0_8N1;
    REG(UART0, UART_CONF1) = UART_CONF1_RX_FULL_AT(RX_FULL_AT) | UART_CONF1_RX_TIMEOUT;
    update();
    REG(UART0, UART_INT_CLR) = UINT32_MAX;
    REG(UART0, UART_INT_ENA) = UART_INT_RX_FULL | UART_INT_RX_OVERFLOW | UART_INT_RX_TIMEOUT;
    ein_line_enable(INTERRUPT_SOURCE_UART0, EIN_LINE_UART);
}

size_t ein_serial_write(const uint8_t *bytes, size_t n)
{
    const uint32_t start = ein_cycles();
    for (size_t i = 0; i < n; i++) {
        while (UART_STATUS_TX(REG(UART0, UART_STATUS)) >= UART_FIFO_BYTES - 1u) {
            if (ein_cycles() - start > WAIT_CYCLES) {
                return i;
            }
        }
        REG(UART0, UART_FIFO) = bytes[i];
    }
    return n;
}
