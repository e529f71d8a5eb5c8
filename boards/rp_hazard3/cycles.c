/* The core counts its cycles itself, once it is allowed to: out of reset MCOUNTINHIBIT holds the
   counters (data sheet, 3.8.9). */
#include "cycles.h"

#include "core.h"

void ein_cycles_init(void)
{
    csr_write(mcountinhibit, 0);
}

uint32_t ein_cycles(void)
{
    uint32_t count;
    __asm volatile("csrr %0, mcycle" : "=r"(count));
    return count;
}
