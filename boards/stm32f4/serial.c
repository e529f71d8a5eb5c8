#include "serial.h"

#include "board.h"
#include "pins.h"
#include "stm32f4.h"

#if EIN_BOARD_USART == 1
#define EIN_USART USART1
#define EIN_USART_IRQ IRQ_USART1
#define EIN_USART_IRQHandler USART1_IRQHandler
#define TX_PIN PA(9u)
#define RX_PIN PA(10u)
#elif EIN_BOARD_USART == 2
#define EIN_USART USART2
#define EIN_USART_IRQ IRQ_USART2
#define EIN_USART_IRQHandler USART2_IRQHandler
#define TX_PIN PA(2u)
#define RX_PIN PA(3u)
#elif EIN_BOARD_USART == 3
#define EIN_USART USART3
#define EIN_USART_IRQ IRQ_USART3
#define EIN_USART_IRQHandler USART3_IRQHandler
#define TX_PIN PB(10u)
#define RX_PIN PB(11u)
#else
#error "EIN_BOARD_USART must be 1 (PA9, PA10), 2 (PA2, PA3) or 3 (PB10, PB11)"
#endif

#include "usart_port.h"
#include "usart_rx.h"

void ein_serial_init(uint32_t core_hz, uint32_t bus_hz)
{
#if EIN_BOARD_USART == 1
    rcc_enable(&RCC->APB2ENR, RCC_APB2ENR_USART1);
#else
    rcc_enable(&RCC->APB1ENR, EIN_BOARD_USART == 2 ? RCC_APB1ENR_USART2 : RCC_APB1ENR_USART3);
#endif
    pin_mode(TX_PIN, PIN_FUNCTION, 7u);
    pin_mode(RX_PIN, PIN_FUNCTION, 7u);
    pin_pull(RX_PIN, PULL_UP);
    usart_begin(core_hz, bus_hz);
}
