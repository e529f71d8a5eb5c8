/* Stream mode: ADC1 channel 1 (PA1), sampled by SysTick. */
#ifndef EIN_STREAM_H
#define EIN_STREAM_H

#include <stdbool.h>
#include <stdint.h>

/* Starts sampling at EIN_PIPELINE_RATE_HZ: SysTick, which runs at core_hz, is the stream's from now
 * on. */
void ein_stream_begin(uint32_t core_hz);

/* To be called by the SysTick interrupt, if it is the stream's. */
void ein_stream_tick(void);

/* True and the oldest sample, if one is there; *dropped is how many came before it that had no
 * room. */
bool ein_stream_read(int16_t *sample, uint32_t *dropped);

bool ein_stream_empty(void);

#endif
