/* The board's serial port on a USART of the STM32F1 or F4 (serial.h): received by interrupt into a
   ring, sent by polling. Included once, by a family's serial.c behind board.h and the registers: it
   names the USART and its interrupt (EIN_USART, EIN_USART_IRQ, EIN_USART_IRQHandler) and, in
   ein_serial_init, wakes the USART and its pins before usart_begin. */
#ifndef EIN_USART_PORT_H
#define EIN_USART_PORT_H

#include "rx.h"
#include "serial.h"

void EIN_USART_IRQHandler(void);

static ein_rx_t rx;
static uint32_t polls_per_call;

void EIN_USART_IRQHandler(void)
{
    /* An overrun also raises this interrupt, and is cleared by reading SR and then DR. */
    if ((EIN_USART->SR & USART_SR_ORE) != 0) {
        rx.lost++;
    }
    ein_rx_put(&rx, (uint8_t)EIN_USART->DR);
}

/* 8N1 at EIN_BOARD_BAUD, of a USART whose bus runs at bus_hz. */
static void usart_begin(uint32_t core_hz, uint32_t bus_hz)
{
    /* A poll takes at least 10 cycles: that bounds a call at about 100 ms. */
    polls_per_call = core_hz / 100u;
    EIN_USART->BRR = (bus_hz + EIN_BOARD_BAUD / 2u) / EIN_BOARD_BAUD;
    EIN_USART->CR1 = USART_CR1_UE | USART_CR1_TE | USART_CR1_RE | USART_CR1_RXNEIE;
    nvic_enable(EIN_USART_IRQ);
}

bool ein_serial_empty(void)
{
    return ein_rx_empty(&rx);
}

size_t ein_serial_read(uint8_t *bytes, size_t n)
{
    return ein_rx_take(&rx, bytes, n);
}

size_t ein_serial_write(const uint8_t *bytes, size_t n)
{
    uint32_t polls = polls_per_call;
    for (size_t i = 0; i < n; i++) {
        while ((EIN_USART->SR & USART_SR_TXE) == 0) {
            if (polls-- == 0) {
                return i;
            }
        }
        EIN_USART->DR = bytes[i];
    }
    return n;
}

void ein_serial_flush(void)
{
    for (uint32_t polls = polls_per_call; polls > 0 && (EIN_USART->SR & USART_SR_TC) == 0;
         polls--) {
    }
}

uint32_t ein_serial_lost(void)
{
    return rx.lost;
}

#endif
