#include "serial.h"

#include "board.h"
#include "chip.h"
#include "clock.h"
#include "rx.h"

#define TX_PIN 0u
#define RX_PIN 1u
#define WAIT_US 100000u

void Uart_Handler(void);

static ein_rx_t rx;

void Uart_Handler(void)
{
    while ((REG(UART0, UART_FR) & UART_FR_RX_EMPTY) == 0) {
        const uint32_t got = REG(UART0, UART_DR);
        if ((got & UART_DR_OVERRUN) != 0) {
            rx.lost++;
        }
        ein_rx_put(&rx, (uint8_t)got);
    }
}

void ein_serial_init(void)
{
    ein_unreset(RESET_UART0);
    /* 64ths of the 16-fold oversampled bit (4.2.3.2.1). */
    const uint32_t divider = (EIN_CORE_HZ * 4u + EIN_BOARD_BAUD / 2u) / EIN_BOARD_BAUD;
    REG(UART0, UART_IBRD) = divider >> 6;
    REG(UART0, UART_FBRD) = divider & 63u;
    REG(UART0, UART_LCR) = UART_LCR_8BITS_FIFO; /* also takes the divider over */
    REG(UART0, UART_CR) = UART_CR_ON;
    REG(PADS_BANK0, PAD(TX_PIN)) = 0;
    REG(PADS_BANK0, PAD(RX_PIN)) = PAD_INPUT | PAD_PULL_UP;
    REG(IO_BANK0, GPIO_CTRL(TX_PIN)) = GPIO_FUNCTION_UART;
    REG(IO_BANK0, GPIO_CTRL(RX_PIN)) = GPIO_FUNCTION_UART;
    REG(UART0, UART_IMSC) = UART_IMSC_RX;
    irq_line_enable(IRQ_UART0);
}

bool ein_serial_empty(void)
{
    return ein_rx_empty(&rx);
}

size_t ein_serial_read(uint8_t *bytes, size_t n)
{
    return ein_rx_take(&rx, bytes, n);
}

static bool wait_while(uint32_t flag, uint32_t since)
{
    while ((REG(UART0, UART_FR) & flag) != 0) {
        if (ein_micros() - since > WAIT_US) {
            return false;
        }
    }
    return true;
}

size_t ein_serial_write(const uint8_t *bytes, size_t n)
{
    const uint32_t since = ein_micros();
    for (size_t i = 0; i < n; i++) {
        if (!wait_while(UART_FR_TX_FULL, since)) {
            return i;
        }
        REG(UART0, UART_DR) = bytes[i];
    }
    return n;
}

void ein_serial_flush(void)
{
    (void)wait_while(UART_FR_BUSY, ein_micros());
}

uint32_t ein_serial_lost(void)
{
    return rx.lost;
}
