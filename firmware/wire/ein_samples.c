#include "ein_samples.h"

#include "ein_bytes.h"

#define ADAPT_START 32u
#define ESCAPE 16u /* so many ones announce 16 plain bits */

void ein_samples_init(ein_samples_t *samples, const uint8_t *code, size_t size)
{
    samples->code = code;
    samples->size_bits = 8u * (uint32_t)size;
    samples->at_bit = 0;
    samples->adapt = ADAPT_START;
    samples->last = 0;
    samples->before = 0;
    samples->started = false;
}

/* The next 24 bits or more, at the top of the word; zeros beyond the end. */
static uint32_t window(const ein_samples_t *samples)
{
    uint32_t byte = samples->at_bit >> 3;
    uint32_t size = samples->size_bits >> 3;
    uint32_t bits = 0;
    for (uint32_t i = 0; i < 4; i++) {
        bits = (bits << 8) | (byte + i < size ? samples->code[byte + i] : 0u);
    }
    return bits << (samples->at_bit & 7u);
}

/* The next n <= 16 bits as a number; only if they are there. */
static bool take(ein_samples_t *samples, uint32_t n, uint32_t *value)
{
    if (samples->size_bits - samples->at_bit < n) {
        return false;
    }
    *value = n == 0 ? 0u : window(samples) >> (32u - n);
    samples->at_bit += n;
    return true;
}

/* Counts ones up to the first zero, which is consumed, or up to ESCAPE ones. */
static bool take_ones(ein_samples_t *samples, uint32_t *ones)
{
    uint32_t bits = window(samples);
    uint32_t n = 0;
    while (n < ESCAPE && (bits & 0x80000000u) != 0) {
        bits <<= 1;
        n++;
    }
    uint32_t used = n < ESCAPE ? n + 1u : n;
    if (samples->size_bits - samples->at_bit < used) {
        return false;
    }
    samples->at_bit += used;
    *ones = n;
    return true;
}

bool ein_samples_next(ein_samples_t *samples, int16_t *value)
{
    uint32_t z;
    if (!samples->started) {
        if (!take(samples, 16, &z)) {
            return false;
        }
        samples->started = true;
        samples->last = ein_int16((uint16_t)z);
        samples->before = samples->last;
        *value = samples->last;
        return true;
    }
    uint32_t k = 0; /* <= 15 */
    while ((samples->adapt >> 3) >> k != 0) {
        k++;
    }
    uint32_t q;
    if (!take_ones(samples, &q) || !take(samples, q < ESCAPE ? k : 16u, &z)) {
        return false;
    }
    if (q < ESCAPE) {
        z |= q << k;
    }
    if (z > 0xFFFFu) { /* no int16 difference: without this, hostile code would make k grow */
        return false;
    }
    samples->adapt += z - (samples->adapt >> 2);

    int32_t d = (z & 1u) != 0 ? -(int32_t)((z + 1u) >> 1) : (int32_t)(z >> 1);
    int32_t rise = (int32_t)samples->last - samples->before;
    int32_t half = rise >= 0 ? rise / 2 : -((1 - rise) / 2); /* rounded down */
    uint32_t next = (uint32_t)((int32_t)samples->last + half + d);
    samples->before = samples->last;
    samples->last = ein_int16((uint16_t)next);
    *value = samples->last;
    return true;
}

bool ein_samples_ended(const ein_samples_t *samples)
{
    uint32_t left = samples->size_bits - samples->at_bit;
    return left < 8u && (left == 0 || window(samples) >> (32u - left) == 0);
}
