#include "serial.h"

#include "board.h"
#include "stm32f1.h"

#define TX_PIN 9u
#define RX_PIN 10u

#define EIN_USART USART1
#define EIN_USART_IRQ IRQ_USART1
#define EIN_USART_IRQHandler USART1_IRQHandler
#include "usart_port.h"

void ein_serial_init(uint32_t core_hz, uint32_t bus_hz)
{
    pin_mode_a(TX_PIN, PIN_FUNCTION_50MHZ);
    GPIO(0u)->BSRR = 1u << RX_PIN; /* pulled up */
    pin_mode_a(RX_PIN, PIN_PULLED_INPUT);
    RCC->APB2ENR |= RCC_APB2ENR_USART1;
    usart_begin(core_hz, bus_hz);
}
