/* Start-up of the Arm cores of RP2040 and RP2350: vectors, RAM, painted stack, then main(). The
   second core stays in the boot ROM. */
#include "chip.h"
#include "memory.h"

int main(void);
void Reset_Handler(void);
void Fault_Handler(void);
void SysTick_Handler(void);
void Wake_Handler(void);
void Stream_Handler(void);
void Uart_Handler(void);

typedef void (*vector_t)(void);

/* Everything that nobody handles is a fault, so that it is reported and not spun on. */
__attribute__((section(".vectors"), used)) static const vector_t vectors[16 + IRQS] = {
    (vector_t)_stack_top,
    Reset_Handler,
    [2 ... 14] = Fault_Handler,
    [15] = SysTick_Handler,
    [16 + IRQ_TIMER_0] = Wake_Handler,
    [16 + IRQ_TIMER_1] = Stream_Handler,
    [18 ...(15 + IRQ_UART0)] = Fault_Handler,
    [16 + IRQ_UART0] = Uart_Handler,
    [(17 + IRQ_UART0)...(15 + IRQS)] = Fault_Handler,
};

__attribute__((noreturn)) void Reset_Handler(void)
{
    SCB->VTOR = (uint32_t)(uintptr_t)vectors;
#ifdef __ARM_ARCH_8M_MAIN__
    /* Below RAM lies the flash's window, where the data sheet promises no fault to a write. */
    __asm volatile("msr msplim, %0" ::"r"(_stack_bottom));
#endif
    ein_memory_init();
    main();
    for (;;) {
    }
}
