#include "serial.h"

#include "board.h"
#include "pins.h"
#include "rx.h"
#include "stm32f4.h"

#if EIN_BOARD_USART == 1
#define USART USART1
#define USART_IRQ IRQ_USART1
#define USART_IRQHandler USART1_IRQHandler
#define TX_PIN PA(9u)
#define RX_PIN PA(10u)
#elif EIN_BOARD_USART == 2
#define USART USART2
#define USART_IRQ IRQ_USART2
#define USART_IRQHandler USART2_IRQHandler
#define TX_PIN PA(2u)
#define RX_PIN PA(3u)
#elif EIN_BOARD_USART == 3
#define USART USART3
#define USART_IRQ IRQ_USART3
#define USART_IRQHandler USART3_IRQHandler
#define TX_PIN PB(10u)
#define RX_PIN PB(11u)
#else
#error "EIN_BOARD_USART must be 1 (PA9, PA10), 2 (PA2, PA3) or 3 (PB10, PB11)"
#endif

void USART_IRQHandler(void);

static ein_rx_t rx;
static uint32_t polls_per_call;

void USART_IRQHandler(void)
{
    /* An overrun also raises this interrupt, and is cleared by reading SR and then DR. */
    if ((USART->SR & USART_SR_ORE) != 0) {
        rx.lost++;
    }
    ein_rx_put(&rx, (uint8_t)USART->DR);
}

void ein_serial_init(const ein_clock_tree_t *clock)
{
    /* A poll takes at least 10 cycles: that bounds a call at about 100 ms. */
    polls_per_call = clock->core_hz / 100;
#if EIN_BOARD_USART == 1
    RCC->APB2ENR |= RCC_APB2ENR_USART1;
    const uint32_t bus_hz = clock->apb2_hz;
#else
    RCC->APB1ENR |= EIN_BOARD_USART == 2 ? RCC_APB1ENR_USART2 : RCC_APB1ENR_USART3;
    const uint32_t bus_hz = clock->apb1_hz;
#endif
    pin_mode(TX_PIN, PIN_FUNCTION, 7u);
    pin_mode(RX_PIN, PIN_FUNCTION, 7u);
    pin_pull(RX_PIN, PULL_UP);
    USART->BRR = (bus_hz + EIN_BOARD_BAUD / 2) / EIN_BOARD_BAUD;
    USART->CR1 = USART_CR1_UE | USART_CR1_TE | USART_CR1_RE | USART_CR1_RXNEIE;
    nvic_enable(USART_IRQ);
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
        while ((USART->SR & USART_SR_TXE) == 0) {
            if (polls-- == 0) {
                return i;
            }
        }
        USART->DR = bytes[i];
    }
    return n;
}

void ein_serial_flush(void)
{
    for (uint32_t polls = polls_per_call; polls > 0 && (USART->SR & USART_SR_TC) == 0; polls--) {
    }
}

uint32_t ein_serial_lost(void)
{
    return rx.lost;
}
