#include "serial.h"

#include "board.h"
#include "rx.h"
#include "stm32f1.h"

#define TX_PIN 9u
#define RX_PIN 10u

void USART1_IRQHandler(void);

static ein_rx_t rx;
static uint32_t polls_per_call;

void USART1_IRQHandler(void)
{
    /* An overrun also raises this interrupt, and is cleared by reading SR and then DR. */
    if ((USART1->SR & USART_SR_ORE) != 0) {
        rx.lost++;
    }
    ein_rx_put(&rx, (uint8_t)USART1->DR);
}

void ein_serial_init(uint32_t core_hz)
{
    /* A poll takes at least 10 cycles: that bounds a call at about 100 ms. */
    polls_per_call = core_hz / 100u;
    pin_mode_a(TX_PIN, PIN_FUNCTION_50MHZ);
    GPIO(0u)->BSRR = 1u << RX_PIN; /* pulled up */
    pin_mode_a(RX_PIN, PIN_PULLED_INPUT);
    RCC->APB2ENR |= RCC_APB2ENR_USART1;
    USART1->BRR = (core_hz + EIN_BOARD_BAUD / 2u) / EIN_BOARD_BAUD;
    USART1->CR1 = USART_CR1_UE | USART_CR1_TE | USART_CR1_RE | USART_CR1_RXNEIE;
    nvic_enable(IRQ_USART1);
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
        while ((USART1->SR & USART_SR_TXE) == 0) {
            if (polls-- == 0) {
                return i;
            }
        }
        USART1->DR = bytes[i];
    }
    return n;
}

void ein_serial_flush(void)
{
    for (uint32_t polls = polls_per_call; polls > 0 && (USART1->SR & USART_SR_TC) == 0; polls--) {
    }
}

uint32_t ein_serial_lost(void)
{
    return rx.lost;
}
