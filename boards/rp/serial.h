/* UART0 of the RP2040 and RP2350 boards, GP0 (out) and GP1 (in). */
#ifndef EIN_SERIAL_H
#define EIN_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void ein_serial_init(void);
bool ein_serial_empty(void);
size_t ein_serial_read(uint8_t *bytes, size_t n);
size_t ein_serial_write(const uint8_t *bytes, size_t n);
/* Waits until all that was written is out, a tenth of a second at most. */
void ein_serial_flush(void);
uint32_t ein_serial_lost(void);

#endif
