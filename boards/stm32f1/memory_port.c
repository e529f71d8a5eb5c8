/* firmware/app/ein_memory_port.h for the STM32F1 boards, where DMA writes to RAM, too. */
#include "ein_memory_port.h"

#include "stm32f1.h"

extern const uint8_t _image_start[], _image_end[];
extern uint32_t _ram_start[], _ram_end[];

/* Of a conversion that has begun, to its end: 252 of the ADC's cycles, six of the core's each. */
#define CONVERSION_POLLS 300u

const ein_memory_t *ein_memory_port(void)
{
    static const ein_memory_t memory = {
        .image = _image_start,
        .image_end = _image_end,
        .ram = {{_ram_start, _ram_end}},
    };
    return &memory;
}

/* No interrupt is ever taken (port.c). Samples come a little later, and none is lost. */
void ein_memory_port_mask(int masked)
{
    if (masked) {
        USART1->CR3 = 0;
        TIM3->CR1 = 0;
        for (volatile uint32_t i = 0; i < CONVERSION_POLLS; i++) {
        }
    } else {
        TIM3->CR1 = TIM_CR1_CEN;
        USART1->CR3 = USART_CR3_DMAR;
    }
}
