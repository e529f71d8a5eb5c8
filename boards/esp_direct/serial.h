/* UART0 of the ESP32-C3, on the pins that its ROM speaks on: GPIO21 (out) and GPIO20 (in). */
#ifndef EIN_SERIAL_H
#define EIN_SERIAL_H

#include <stddef.h>
#include <stdint.h>

/* At the board's rate, from the crystal. */
void ein_serial_init(void);
size_t ein_serial_write(const uint8_t *bytes, size_t n);
/* Waits until all that was written is out, a tenth of a second at most. */
void ein_serial_flush(void);

#endif
