/* SysTick counts 24 bits down and begins anew, every 0.13 s at 125 MHz: an interrupt counts that.
 */
#include "cycles.h"

#include "core.h"

void SysTick_Handler(void);

static volatile uint32_t wraps;

void SysTick_Handler(void)
{
    wraps++;
}

void ein_cycles_init(void)
{
    SYSTICK->LOAD = 0xFFFFFFu;
    SYSTICK->VAL = 0;
    SYSTICK->CTRL = SYSTICK_CTRL_ON;
}

uint32_t ein_cycles(void)
{
    for (;;) {
        const uint32_t before = wraps;
        const uint32_t left = SYSTICK->VAL;
        /* A wrap that is not counted yet shows as pending, or as another number. */
        if (before == wraps && (SCB->ICSR & SCB_ICSR_PENDSTSET) == 0) {
            return before << 24 | (0xFFFFFFu - left);
        }
    }
}
