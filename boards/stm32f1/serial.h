/* USART1 of the STM32F1 boards: PA9 (out), PA10 (in). Received by interrupt into a ring, sent by
 * polling. */
#ifndef EIN_SERIAL_H
#define EIN_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* core_hz: the core's clock, which is USART1's, too. */
void ein_serial_init(uint32_t core_hz);

bool ein_serial_empty(void);
size_t ein_serial_read(uint8_t *bytes, size_t n);

/* Waits at most about 100 ms in all; returns how many bytes were taken. */
size_t ein_serial_write(const uint8_t *bytes, size_t n);

/* Until the last byte has left, at most about 100 ms. */
void ein_serial_flush(void);

/* Bytes that were lost on their way in. */
uint32_t ein_serial_lost(void);

#endif
