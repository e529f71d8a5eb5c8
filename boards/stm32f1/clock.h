/* Clock of the STM32F1 boards. */
#ifndef EIN_CLOCK_TREE_H
#define EIN_CLOCK_TREE_H

#include <stdint.h>

/* Runs the core from the PLL: at 72 MHz from a crystal of 8 MHz, or at 64 MHz from the internal RC
   oscillator (1 %) where the crystal does not start, or at that oscillator's 8 MHz if the PLL does
   not lock either. Every wait is bounded, about 60 ms. Returns what the core and USART1 run at, in
   Hz. */
uint32_t ein_clock_tree_init(void);

#endif
