/* Start-up of the STM32F4 boards: vectors, RAM, painted stack, then main(). */
#include "memory.h"
#include "stm32f4.h"

int main(void);
void Reset_Handler(void);
void Fault_Handler(void);
void SysTick_Handler(void);
void USART1_IRQHandler(void);
void USART2_IRQHandler(void);

typedef void (*vector_t)(void);

/* Everything that nobody handles is a fault, so that it is reported and not spun on. */
__attribute__((section(".vectors"), used)) static const vector_t vectors[16 + 82] = {
    (vector_t)_stack_top,
    Reset_Handler,
    [2 ... 14] = Fault_Handler,
    [15] = SysTick_Handler,
    [16 ...(15 + IRQ_USART1)] = Fault_Handler,
    [16 + IRQ_USART1] = USART1_IRQHandler,
    [16 + IRQ_USART2] = USART2_IRQHandler,
    [(17 + IRQ_USART2)... 97] = Fault_Handler,
};

__attribute__((noreturn)) void Reset_Handler(void)
{
    SCB->VTOR = (uint32_t)(uintptr_t)vectors;
    ein_memory_init();
    main();
    for (;;) {
    }
}
