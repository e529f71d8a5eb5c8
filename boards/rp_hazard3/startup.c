/* Start-up of the RP2350's first RISC-V core, and its interrupts: RAM, painted stack, then main().
   The second core stays in the boot ROM. */
#include "chip.h"
#include "core.h"
#include "memory.h"
#include "restart.h"

#define GUARD_BYTES 1024u
#define PMP_LOCKED_NAPOT 0x98u /* and no permission */

int main(void);
void ein_on_external(void) __attribute__((interrupt("machine")));
void Wake_Handler(void);
void Stream_Handler(void);
void Uart_Handler(void);

/* Below RAM, and so below the stack, lies the flash's window, where the data sheet names no fault:
   nobody may touch the kilobyte there, not even machine mode, until the next reset (3.8.3). */
static void guard_stack(void)
{
    const uint32_t begin = (uint32_t)(uintptr_t)_stack_bottom - GUARD_BYTES;
    csr_write(pmpaddr0, (begin | (GUARD_BYTES / 2u - 1u)) >> 2);
    csr_write(pmpcfg0, PMP_LOCKED_NAPOT);
}

void ein_start(void)
{
    ein_memory_init();
    guard_stack();
    csr_write(mie, MIE_EXTERNAL); /* no line is enabled yet */
    irq_enable();
    main();
    for (;;) {
    }
}

/* All lines have one priority, so none comes in between. An unexpected one is a fault. */
void ein_on_external(void)
{
    for (uint32_t next; ((next = irq_next()) & MEINEXT_NONE) == 0;) {
        switch (MEINEXT_IRQ(next)) {
        case IRQ_TIMER_0:
            Wake_Handler();
            break;
        case IRQ_TIMER_1:
            Stream_Handler();
            break;
        case IRQ_UART0:
            Uart_Handler();
            break;
        default:
            ein_restart(EIN_RESET_FAULT);
        }
    }
}
