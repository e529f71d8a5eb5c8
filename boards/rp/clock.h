/* Clocks of the RP2040 and RP2350 boards: EIN_CORE_HZ for the core, 48 MHz for the ADC,
 * microseconds. */
#ifndef EIN_CLOCK_H
#define EIN_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* From the 12 MHz crystal. Every wait has a bound; without crystal or PLL the chip stays on its
   ring oscillator, and the serial port's rate is wrong, which the host sees. */
void ein_clock_init(void);

/* Microseconds; wraps at 2^32. */
uint32_t ein_micros(void);

/* Until all `bits` of a register are set, or for 100,000 looks at it: then false. */
bool ein_wait_for(uint32_t base, uint32_t offset, uint32_t bits);

/* Takes peripherals out of reset (RESET_*). */
void ein_unreset(uint32_t bits);

#endif
