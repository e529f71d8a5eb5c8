/* The ESP32-C3's clocks: 160 MHz for the core and 80 MHz for the peripherals from the PLL. UART,
   system timer and watchdog run from the crystal, whatever the core does. */
#ifndef EIN_CLOCK_H
#define EIN_CLOCK_H

#include <stdint.h>

#define EIN_CORE_HZ 160000000u

/* Also starts the core's cycle counter. */
void ein_clock_init(void);

/* Cycles since the start; wraps at 2^32. It stands still while the core sleeps. */
static inline uint32_t ein_cycles(void)
{
    uint32_t count;
    __asm volatile("csrr %0, 0x7E2" : "=r"(count)); /* mpccr (1.5.2) */
    return count;
}

#endif
