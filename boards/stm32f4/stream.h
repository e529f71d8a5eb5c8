/* Where the board's own samples come from: stream.c has ADC1 by SysTick; a device has a front end
 * instead (boards/stm32f4_device/samples.c). */
#ifndef EIN_STREAM_H
#define EIN_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "ein_port.h"

/* Bits, gain and rails of the samples. */
void ein_stream_describe(ein_port_info_t *info);

/* Starts sampling at EIN_PIPELINE_RATE_HZ. True: SysTick, which runs at core_hz, is the stream's
   from now on. */
bool ein_stream_begin(uint32_t core_hz);

/* To be called by the SysTick interrupt, if it is the stream's. */
void ein_stream_tick(void);

/* True and the oldest sample, if one is there; *dropped is how many came before it that had no
 * room. */
bool ein_stream_read(int16_t *sample, uint32_t *dropped);

bool ein_stream_empty(void);

/* Instead of sleeping: true if the time has passed already, as it may in an emulator. */
bool ein_stream_slept(void);

#endif
