/* What a USART receives, by interrupt into a ring (serial.h). Included behind usart_port.h by a
   family's serial.c, which names the interrupt: EIN_USART_IRQ, EIN_USART_IRQHandler. */
#ifndef EIN_USART_RX_H
#define EIN_USART_RX_H

#include "rx.h"
#include "serial.h"

void EIN_USART_IRQHandler(void);

static ein_rx_t rx;

void EIN_USART_IRQHandler(void)
{
    /* An overrun also raises this interrupt, and is cleared by reading SR and then DR. */
    if ((EIN_USART->SR & USART_SR_ORE) != 0) {
        rx.lost++;
    }
    ein_rx_put(&rx, (uint8_t)EIN_USART->DR);
}

bool ein_serial_empty(void)
{
    return ein_rx_empty(&rx);
}

size_t ein_serial_read(uint8_t *bytes, size_t n)
{
    return ein_rx_take(&rx, bytes, n);
}

uint32_t ein_serial_lost(void)
{
    return rx.lost;
}

#endif
