/* Clocks of the RP2040 and RP2350 boards: EIN_CORE_HZ for the core, 48 MHz for the ADC,
 * microseconds. */
#ifndef EIN_CLOCK_H
#define EIN_CLOCK_H

#include <stdint.h>

/* From the 12 MHz crystal. Every wait has a bound; without crystal or PLL the chip stays on its
   ring oscillator, and the serial port's rate is wrong, which the host sees. */
void ein_clock_init(void);

/* Microseconds; wraps at 2^32. */
uint32_t ein_micros(void);

/* Takes peripherals out of reset (RESET_*). */
void ein_unreset(uint32_t bits);

#endif
