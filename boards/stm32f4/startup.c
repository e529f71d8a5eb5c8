/* Start-up of the STM32F4 boards: vectors, RAM, painted stack, then main(). */
#include "kept.h"
#include "stm32f4.h"

extern uint32_t _stack_bottom[], _stack_top[], _data_load[], _data_start[], _data_end[],
    _bss_start[], _bss_end[];

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
    const uint32_t *from = _data_load;
    for (uint32_t *to = _data_start; to < _data_end;) {
        *to++ = *from++;
    }
    for (uint32_t *to = _bss_start; to < _bss_end;) {
        *to++ = 0;
    }
    /* Up to this function's own frame, with some room to spare. */
    uint32_t *here = (uint32_t *)__builtin_frame_address(0) - 16;
    for (uint32_t *to = _stack_bottom; to < here;) {
        *to++ = EIN_STACK_PAINT;
    }
    main();
    for (;;) {
    }
}
