/* Encoder of the compact code of samples, what ein_samples.h decodes (docs/SPEC.md, section 5).
 *
 * Takes one sample at a time and writes into the caller's bytes. A sample takes at most 32 bits,
 * on ECG about 5 of them; differences wrap modulo 2^16, as int16: every sample comes back as it
 * was.
 */
#ifndef EIN_SAMPLES_ENCODER_H
#define EIN_SAMPLES_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint8_t *code;
    uint32_t room_bits;
    uint32_t at_bit;
    uint32_t adapt; /* as the decoder's */
    int16_t last, before;
} ein_samples_encoder_t;

/* `code` has room for `size` bytes, 4 or more, and must stay valid as long as samples are put. */
void ein_samples_encoder_init(ein_samples_encoder_t *encoder, uint8_t *code, size_t size);

/* Appends a sample. False, and nothing has changed, when fewer than 32 bits are left. */
bool ein_samples_encoder_put(ein_samples_encoder_t *encoder, int16_t value);

/* Bytes of code so far, the last one padded with zeros. */
static inline size_t ein_samples_encoder_size(const ein_samples_encoder_t *encoder)
{
    return (encoder->at_bit + 7u) >> 3;
}

#endif
