/* The device's clock, and what its timers run on. */
#ifndef EIN_TIMER_H
#define EIN_TIMER_H

#include <stdint.h>

#include "stm32f4.h"

/* Lets a timer of TIM2 to TIM5 count at hz from 0 on, and its ARR be `top`. */
void ein_timer_start(tim_t *timer, uint32_t hz, uint32_t top);

/* TIM5: 1 MHz, wraps after 71 minutes; it runs while the core sleeps, which its cycle counter does
   not. Begins with the first call. */
uint32_t ein_timer_us(void);

/* In the emulator: so much time passes at once, because a driver would only wait for it. */
void ein_timer_skip_us(uint32_t us);

#endif
