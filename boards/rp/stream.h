/* Samples from ADC0 (GP26) of the RP2040 and RP2350 boards. */
#ifndef EIN_STREAM_H
#define EIN_STREAM_H

#include <stdbool.h>
#include <stdint.h>

void ein_stream_init(void);
bool ein_stream_empty(void);
bool ein_stream_read(int16_t *sample, uint32_t *dropped);

#endif
