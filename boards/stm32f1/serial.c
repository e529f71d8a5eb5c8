/* What is received goes by DMA into a ring, so that nothing is lost while the flash lets the core
 * wait. The receiver's interrupt is never taken, as none is (port.c): it only ends a sleep.
 */
#include "serial.h"

#include "board.h"
#include "rx.h"
#include "stm32f1.h"

#define TX_PIN 9u
#define RX_PIN 10u

#define EIN_USART USART1
#define EIN_USART_IRQ IRQ_USART1
#include "usart_port.h"

static volatile uint8_t ring[EIN_RX_BYTES];
static uint32_t seen;    /* where DMA was, when that was last looked at */
static uint32_t waiting; /* bytes before that, not yet taken */
static uint32_t lost;

void ein_serial_init(uint32_t core_hz, uint32_t bus_hz)
{
    pin_mode_a(TX_PIN, PIN_FUNCTION_50MHZ);
    GPIO(0u)->BSRR = 1u << RX_PIN; /* pulled up */
    pin_mode_a(RX_PIN, PIN_PULLED_INPUT);
    rcc_enable(&RCC->AHBENR, RCC_AHBENR_DMA1);
    rcc_enable(&RCC->APB2ENR, RCC_APB2ENR_USART1);
    DMA_CHANNEL_USART1_RX->CPAR = (uint32_t)(uintptr_t)&USART1->DR;
    DMA_CHANNEL_USART1_RX->CMAR = (uint32_t)(uintptr_t)ring;
    DMA_CHANNEL_USART1_RX->CNDTR = EIN_RX_BYTES;
    DMA_CHANNEL_USART1_RX->CCR = DMA_CCR_PL_HIGH | DMA_CCR_MINC | DMA_CCR_CIRC | DMA_CCR_EN;
    USART1->CR3 = USART_CR3_DMAR;
    usart_begin(core_hz, bus_hz);
}

static void look(void)
{
    /* The flag first: a round that ends behind it is seen by the place, and told again. */
    const bool round = (DMA1_ISR & DMA_ISR_TCIF5) != 0;
    const uint32_t at = EIN_RX_BYTES - DMA_CHANNEL_USART1_RX->CNDTR;
    waiting += (at - seen) % EIN_RX_BYTES;
    if (round) {
        DMA1_IFCR = DMA_ISR_TCIF5;
        waiting += at >= seen ? EIN_RX_BYTES : 0u;
    }
    seen = at;
    if (waiting > EIN_RX_BYTES) { /* overwritten */
        lost += waiting;
        waiting = 0;
    }
}

bool ein_serial_empty(void)
{
    look();
    return waiting == 0;
}

size_t ein_serial_read(uint8_t *bytes, size_t n)
{
    look();
    size_t taken = 0;
    for (; taken < n && waiting > 0; waiting--) {
        bytes[taken++] = ring[(seen - waiting) % EIN_RX_BYTES];
    }
    return taken;
}

uint32_t ein_serial_lost(void)
{
    return lost;
}
