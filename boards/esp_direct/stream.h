/* The board's own samples: ADC1 of the ESP32-C3, by the system timer.
 *
 * An interrupt 1440 times a second (1440.014: the crystal's own tolerance is as large) fetches a
 * conversion and starts the next; it goes on while the flash is written (interrupts.h). The ring of
 * samples holds 0.18 s. ADC2 is not used: erratum "The Digital Controller of SAR ADC2 Cannot Work";
 * the one on continuous conversions by DMA does not concern single ones.
 */
#ifndef EIN_STREAM_H
#define EIN_STREAM_H

/* Conversions from now on, of the board's pin at the widest range. */
void ein_stream_init(void);

#endif
