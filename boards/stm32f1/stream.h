/* The board's own samples: ADC1 channel 1 (PA1) by TIM3 and DMA, without the core; and the time.
 *
 * TIM3 starts a conversion 1440 times a second, DMA1 puts it into a ring in RAM, TIM2 counts them:
 * that count is the clock, too. So conversions go on while the flash is erased and the core stands
 * still, and what was overwritten is known to the sample. The ring holds 0.18 s: longer than an
 * inference and a page's erase (40 ms) take together. RAM: 0.5 KB. RM0008: 11.3.9 external triggers
 * (table 69), 13.3.7 DMA1's channels (table 78), 15.3.15 one timer clocks another (table 86).
 */
#ifndef EIN_STREAM_H
#define EIN_STREAM_H

#include <stdbool.h>
#include <stdint.h>

/* Conversions from now on. The timers of APB1 run at core_hz (RM0008 7.2: twice its halved clock).
 */
void ein_stream_init(uint32_t core_hz);

/* What has come since the last call is counted: once a turn of the main loop, and at least every
   40 s. */
void ein_stream_poll(void);

/* Milliseconds since ein_stream_init, as of the last poll; wraps after 49 days. */
uint32_t ein_stream_ms(void);

/* True and the oldest sample, if one is there; *dropped is how many came before it that were
   overwritten, none of them before the first call. */
bool ein_stream_read(int16_t *sample, uint32_t *dropped);

#endif
