/* Start-up of the STM32F4 boards: vectors, constants that the build puts into core-coupled memory,
   RAM, painted stack, then main(). */
#include <string.h>

#include "board.h"
#include "memory.h"
#include "stm32f4.h"

int main(void);
void Reset_Handler(void);
void Fault_Handler(void);
void SysTick_Handler(void);
#if EIN_BOARD_USART == 1
#define IRQ_USART IRQ_USART1
#define USART_IRQHandler USART1_IRQHandler
#elif EIN_BOARD_USART == 2
#define IRQ_USART IRQ_USART2
#define USART_IRQHandler USART2_IRQHandler
#else
#define IRQ_USART IRQ_USART3
#define USART_IRQHandler USART3_IRQHandler
#endif
void USART_IRQHandler(void);
#ifdef EIN_DEVICE /* the front end's data-ready line */
void EXTI9_5_IRQHandler(void);
#else
#define EXTI9_5_IRQHandler Fault_Handler
#endif

/* boards/stm32f4/stm32f4.ld */
extern uint32_t _ccm_load[], _ccm_start[], _ccm_end[];

typedef void (*vector_t)(void);

/* Everything that nobody handles is a fault, so that it is reported and not spun on. */
__attribute__((section(".vectors"), used)) static const vector_t vectors[16 + 82] = {
    (vector_t)_stack_top,
    Reset_Handler,
    [2 ... 14] = Fault_Handler,
    [15] = SysTick_Handler,
    [16 ...(15 + IRQ_EXTI9_5)] = Fault_Handler,
    [16 + IRQ_EXTI9_5] = EXTI9_5_IRQHandler,
    [(17 + IRQ_EXTI9_5)...(15 + IRQ_USART)] = Fault_Handler,
    [16 + IRQ_USART] = USART_IRQHandler,
    [(17 + IRQ_USART)... 97] = Fault_Handler,
};

__attribute__((noreturn)) void Reset_Handler(void)
{
    SCB->VTOR = (uint32_t)(uintptr_t)vectors;
    const uint32_t ccm_words = (uint32_t)(_ccm_end - _ccm_start);
    if (ccm_words > 0) {
        rcc_enable(&RCC->AHB1ENR,
                   RCC_AHB1ENR_CCM); /* on after a reset; a loader may have run since */
        memcpy(_ccm_start, _ccm_load, ccm_words * sizeof(uint32_t));
    }
    ein_memory_init();
    main();
    for (;;) {
    }
}
