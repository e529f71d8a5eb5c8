/* Stream mode: ADC1 channel 1 (PA1), sampled by TIM3. */
#ifndef EIN_STREAM_H
#define EIN_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#define EIN_STREAM_BITS 12
#define EIN_STREAM_RAIL_LO (-2048)
#define EIN_STREAM_RAIL_HI 2047

/* Starts sampling at EIN_PIPELINE_RATE_HZ, the timers running at timer_hz. */
void ein_stream_init(uint32_t timer_hz);

/* True and the oldest sample, if one is there; *dropped is how many came before it that had no
 * room. */
bool ein_stream_read(int16_t *sample, uint32_t *dropped);

bool ein_stream_empty(void);

#endif
