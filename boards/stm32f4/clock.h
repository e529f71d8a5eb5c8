/* Clock of the STM32F4 boards. */
#ifndef EIN_CLOCK_TREE_H
#define EIN_CLOCK_TREE_H

#include <stdint.h>

typedef struct {
    uint32_t core_hz; /* instructions and SysTick */
    uint32_t apb1_hz; /* USART2 */
    uint32_t apb2_hz; /* USART1, ADC */
} ein_clock_tree_t;

/* Runs the core from the PLL at EIN_BOARD_CORE_HZ: from the crystal, or from the internal RC
   oscillator (1 %) where the crystal does not start, or at the RC oscillator's 16 MHz if the PLL
   does not lock either. Every wait is bounded, about 30 ms. */
ein_clock_tree_t ein_clock_tree_init(void);

#endif
