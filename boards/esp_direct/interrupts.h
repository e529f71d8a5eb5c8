/* What the ESP32-C3's interrupts do, and where what they have gathered lies. Their code is in RAM,
   so they go on while the flash is written and gives no instructions. */
#ifndef EIN_INTERRUPTS_H
#define EIN_INTERRUPTS_H

#include "oversample.h"
#include "rx.h"

/* Lines of the core; 0 is for exceptions (1.6). All have one priority: none comes into another. */
#define EIN_LINE_UART 1u
#define EIN_LINE_STREAM 2u
#define EIN_LINE_WAKE 3u

/* Targets of the system timer. */
#define EIN_TARGET_STREAM 0u
#define EIN_TARGET_WAKE 1u

extern ein_rx_t ein_received;
extern ein_oversample_t ein_conversions;

void ein_on_uart(void) __attribute__((interrupt("machine")));
void ein_on_stream(void) __attribute__((interrupt("machine")));
void ein_on_wake(void) __attribute__((interrupt("machine")));

/* From now on a source of the interrupt matrix is taken by a line. */
void ein_line_enable(uint32_t source, uint32_t line);

/* An interrupt of the system timer every so many of its ticks (16 MHz), by a target. */
void ein_period_start(uint32_t target, uint32_t ticks, uint32_t line);

#endif
