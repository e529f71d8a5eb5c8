/* Start-up of the MPS boards: vectors, RAM, painted stack, then main(). */
#include "board.h"
#include "cortex_m.h"
#include "memory.h"

#define IRQS 64u

int main(void);
void Reset_Handler(void);
void Fault_Handler(void);
void SysTick_Handler(void);
void Uart_Handler(void);

typedef void (*vector_t)(void);

/* Everything that nobody handles is a fault, so that it is reported and not spun on. */
__attribute__((section(".vectors"), used)) static const vector_t vectors[16 + IRQS] = {
    (vector_t)_stack_top,
    Reset_Handler,
    [2 ... 14] = Fault_Handler,
    [15] = SysTick_Handler,
#if EIN_BOARD_UART_IRQ > 0
    [16 ...(15 + EIN_BOARD_UART_IRQ)] = Fault_Handler,
#endif
    [16 + EIN_BOARD_UART_IRQ] = Uart_Handler,
    [(17 + EIN_BOARD_UART_IRQ)...(15 + IRQS)] = Fault_Handler,
};

__attribute__((noreturn)) void Reset_Handler(void)
{
    SCB->VTOR = (uint32_t)(uintptr_t)vectors;
#ifdef __ARM_FEATURE_MVE
    CPACR |= CPACR_VECTORS; /* before the first vector, which may be the next loop's */
    __asm volatile("dsb\n isb" ::: "memory");
#endif
    ein_memory_init();
    main();
    for (;;) {
    }
}
