/* Start-up of the STM32F1 boards: vectors, RAM, painted stack, then main(). */
#include "memory.h"
#include "stm32f1.h"

int main(void);
void Reset_Handler(void);
void Fault_Handler(void);
void SysTick_Handler(void);
void USART1_IRQHandler(void);

typedef void (*vector_t)(void);

/* Every exception that nobody handles is a fault, so that it is reported and not spun on. No
   interrupt behind USART1's is ever enabled, so the table ends there. */
__attribute__((section(".vectors"), used)) static const vector_t vectors[17 + IRQ_USART1] = {
    (vector_t)_stack_top,
    Reset_Handler,
    [2 ... 14] = Fault_Handler,
    [15] = SysTick_Handler,
    [16 ...(15 + IRQ_USART1)] = Fault_Handler,
    [16 + IRQ_USART1] = USART1_IRQHandler,
};

__attribute__((noreturn)) void Reset_Handler(void)
{
    SCB->VTOR = (uint32_t)(uintptr_t)vectors;
    ein_memory_init();
    main();
    for (;;) {
    }
}
