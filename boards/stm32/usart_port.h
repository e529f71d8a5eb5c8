/* The board's serial port on a USART of the STM32F1 or F4 (serial.h), but for what is received:
   sent by polling. Included once, by a family's serial.c behind board.h and the registers: it names
   the USART (EIN_USART) and, in ein_serial_init, wakes it and its pins before usart_begin. */
#ifndef EIN_USART_PORT_H
#define EIN_USART_PORT_H

#include "serial.h"

static uint32_t polls_per_call;

/* 8N1 at EIN_BOARD_BAUD, of a USART whose bus runs at bus_hz, with an interrupt for each byte that
   comes. */
static void usart_begin(uint32_t core_hz, uint32_t bus_hz)
{
    /* A poll takes at least 10 cycles: that bounds a call at about 100 ms. */
    polls_per_call = core_hz / 100u;
    EIN_USART->BRR = (bus_hz + EIN_BOARD_BAUD / 2u) / EIN_BOARD_BAUD;
    EIN_USART->CR1 = USART_CR1_UE | USART_CR1_TE | USART_CR1_RE | USART_CR1_RXNEIE;
    nvic_enable(EIN_USART_IRQ);
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

#endif
