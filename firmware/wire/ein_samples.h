/* Decoder of the compact code of samples (docs/SPEC.md, section 5: adaptive Rice code).
 *
 * Gives one sample at a time, so that no buffer of decoded samples is needed. Bounded: a sample
 * takes at most 32 bits, and reading stops at the end of the code. Differences wrap modulo 2^16, as
 * int16.
 */
#ifndef EIN_SAMPLES_H
#define EIN_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *code;
    uint32_t size_bits;
    uint32_t at_bit;
    uint32_t adapt; /* four times the running mean of the mapped differences; < 2^18 */
    int16_t last, before;
    bool started;
} ein_samples_t;

/* `code` must stay valid as long as samples are read; size <= 2^28. */
void ein_samples_init(ein_samples_t *samples, const uint8_t *code, size_t size);

/* True and the next sample in *value, or false when the code ends first or is not valid. */
bool ein_samples_next(ein_samples_t *samples, int16_t *value);

/* After the last sample: true if nothing but less than a byte of zero padding is left. */
bool ein_samples_ended(const ein_samples_t *samples);

#endif
