/* Start-up of the STM32F1 boards: vectors, RAM, painted stack, then main(). */
#include "memory.h"
#include "stm32f1.h"

int main(void);
void Reset_Handler(void);
void Fault_Handler(void);

typedef void (*vector_t)(void);

/* Every exception is a fault, so that it is reported and not spun on; no interrupt is ever taken
   (port.c), so the table ends before theirs. */
__attribute__((section(".vectors"), used)) static const vector_t vectors[16] = {
    (vector_t)_stack_top,
    Reset_Handler,
    [2 ... 15] = Fault_Handler,
};

__attribute__((noreturn)) void Reset_Handler(void)
{
    SCB->VTOR = (uint32_t)(uintptr_t)vectors;
    ein_memory_init();
    main();
    for (;;) {
    }
}
