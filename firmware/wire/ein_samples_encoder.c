#include "ein_samples_encoder.h"

#include "ein_bytes.h"

#define ADAPT_START 32u
#define ESCAPE 16u
#define LONGEST_BITS 32u

void ein_samples_encoder_init(ein_samples_encoder_t *encoder, uint8_t *code, size_t size)
{
    encoder->code = code;
    encoder->room_bits = 8u * (uint32_t)size;
    encoder->at_bit = 0;
    encoder->adapt = ADAPT_START;
    encoder->last = 0;
    encoder->before = 0;
}

/* The n <= 32 low bits of `bits`, top bit first. */
static void append(ein_samples_encoder_t *encoder, uint32_t bits, uint32_t n)
{
    while (n > 0) {
        uint8_t *byte = &encoder->code[encoder->at_bit >> 3];
        const uint32_t used = encoder->at_bit & 7u;
        if (used == 0) {
            *byte = 0;
        }
        n--;
        *byte = (uint8_t)(*byte | ((bits >> n & 1u) << (7u - used)));
        encoder->at_bit++;
    }
}

bool ein_samples_encoder_put(ein_samples_encoder_t *encoder, int16_t value)
{
    if (encoder->room_bits - encoder->at_bit < LONGEST_BITS) {
        return false;
    }
    if (encoder->at_bit == 0) {
        append(encoder, (uint16_t)value, 16);
        encoder->last = value;
        encoder->before = value;
        return true;
    }
    const int32_t rise = (int32_t)encoder->last - encoder->before;
    const int32_t half = rise >= 0 ? rise / 2 : -((1 - rise) / 2); /* rounded down */
    const int16_t d = ein_int16((uint16_t)((int32_t)value - encoder->last - half));
    const uint32_t z = d >= 0 ? 2u * (uint32_t)d : 2u * (uint32_t)(-(int32_t)d) - 1u;
    uint32_t k = 0;
    while ((encoder->adapt >> 3) >> k != 0) {
        k++;
    }
    const uint32_t q = z >> k;
    if (q >= ESCAPE) {
        append(encoder, 0xFFFF0000u | z, 32);
    } else {
        append(encoder, (1u << (q + 1u)) - 2u, q + 1u);
        append(encoder, z, k);
    }
    encoder->adapt += z - (encoder->adapt >> 2);
    encoder->before = encoder->last;
    encoder->last = value;
    return true;
}
