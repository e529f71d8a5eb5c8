/* The board's serial port: received by interrupt into a ring, sent by polling. */
#ifndef EIN_SERIAL_H
#define EIN_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 8N1 at EIN_BOARD_BAUD. What the core and the USART's bus run at, in Hz. */
void ein_serial_init(uint32_t core_hz, uint32_t bus_hz);

size_t ein_serial_read(uint8_t *bytes, size_t n);
bool ein_serial_empty(void);

/* Returns how many were taken within about 100 ms. Works with interrupts off, and after a fault. */
size_t ein_serial_write(const uint8_t *bytes, size_t n);

/* Waits until the last byte has left, a bounded time. */
void ein_serial_flush(void);

/* Bytes lost since the start: overrun in the receiver, or the ring was full. */
uint32_t ein_serial_lost(void);

#endif
