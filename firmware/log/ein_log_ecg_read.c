/* The reader of what ein_log_ecg.c writes: for hosts, no device needs it. */
#include "ein_log_ecg.h"
#include "ein_log_ecg_model.h"

typedef struct {
    const uint8_t *code;
    uint32_t at, bits;
} bits_t;

/* False: there are no more. */
static bool get_bit(bits_t *bits, uint32_t *value)
{
    if (bits->at == bits->bits) {
        return false;
    }
    *value = (uint32_t)bits->code[bits->at / 8u] >> (7u - bits->at % 8u) & 1u;
    bits->at++;
    return true;
}

static bool get_bits(bits_t *bits, unsigned n, uint32_t *value)
{
    *value = 0;
    for (uint32_t bit; n > 0; n--) {
        if (!get_bit(bits, &bit)) {
            return false;
        }
        *value = *value << 1 | bit;
    }
    return true;
}

static bool get_folded(bits_t *bits, unsigned k, uint16_t *folded)
{
    uint32_t zeros = 0, bit, low;
    for (;; zeros++) {
        if (!get_bit(bits, &bit)) {
            return false;
        }
        if (bit != 0) {
            break;
        }
    }
    if (!get_bits(bits, k, &low) || zeros > 0xFFFFu >> k) {
        return false;
    }
    *folded = (uint16_t)(zeros << k | low);
    return true;
}

size_t ein_log_ecg_read(const ein_log_ecg_t *fields, const uint8_t *code, size_t n,
                        int16_t *samples)
{
    if (fields->samples == 0 || n > EIN_LOG_ECG_CODE_BYTES) {
        return 0;
    }
    bits_t bits = {.code = code, .bits = (uint32_t)(8u * n)};
    ein_log_ecg_model_t model;
    ein_log_ecg_model_begin(&model, fields);
    samples[0] = (int16_t)fields->start;
    uint32_t k = 0;
    for (uint32_t i = 1; i < fields->samples; i++) {
        uint16_t folded;
        if (((i - 1u) % EIN_LOG_ECG_BLOCK == 0 && !get_bits(&bits, EIN_LOG_ECG_K_BITS, &k)) ||
            !get_folded(&bits, k, &folded)) {
            return i;
        }
        const int16_t residual = ein_log_ecg_unfold(folded);
        const int16_t sample = ein_int16((uint16_t)(ein_log_ecg_predict(&model) + residual));
        ein_log_ecg_learn(&model, sample, residual);
        samples[i] = sample;
    }
    return fields->samples;
}
