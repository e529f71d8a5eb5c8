#include "ein_log_ecg.h"

#include <string.h>

#include "ein_bytes.h"

#define K_BITS 4u
#define K_MOST 15u
#define STEP_Q12 16
#define WEIGHT_MOST_Q12 12288 /* four products with a difference stay below 2^31 */
#define HALF_Q12 2048
#define WEIGHT_Q12 128 /* of a weight in a piece's fields */
#define CODE_BITS (8u * EIN_LOG_ECG_CODE_BYTES)

static int32_t sign(int32_t value)
{
    return (value > 0) - (value < 0);
}

static int32_t clamp(int32_t value, int32_t most)
{
    return value > most ? most : value < -most ? -most : value;
}

/* By the weights in the piece's fields. */
static void model_begin(ein_log_ecg_model_t *model, const ein_log_ecg_t *fields)
{
    const int32_t weights_q5[EIN_LOG_ECG_TAPS] = {fields->weight_1, fields->weight_2,
                                                  fields->weight_3, fields->weight_4};
    memset(model, 0, sizeof(*model));
    for (unsigned i = 0; i < EIN_LOG_ECG_TAPS; i++) {
        model->weights_q12[i] = clamp(weights_q5[i] * WEIGHT_Q12, WEIGHT_MOST_Q12);
    }
    model->last = (int16_t)fields->start;
}

static int16_t predict(const ein_log_ecg_model_t *model)
{
    int32_t sum = HALF_Q12;
    for (unsigned i = 0; i < EIN_LOG_ECG_TAPS; i++) {
        sum += model->weights_q12[i] * model->differences[i];
    }
    /* Rounded down; the conversion of a negative shift is the compiler's, so divide. */
    const int32_t step = sum >= 0 ? sum / 4096 : -((4095 - sum) / 4096);
    return ein_int16((uint16_t)(model->last + step));
}

static void learn(ein_log_ecg_model_t *model, int16_t sample, int16_t residual)
{
    const int32_t step = STEP_Q12 * sign(residual);
    for (unsigned i = 0; i < EIN_LOG_ECG_TAPS; i++) {
        model->weights_q12[i] =
            clamp(model->weights_q12[i] + step * sign(model->differences[i]), WEIGHT_MOST_Q12);
    }
    for (unsigned i = EIN_LOG_ECG_TAPS - 1u; i > 0; i--) {
        model->differences[i] = model->differences[i - 1u];
    }
    model->differences[0] = clamp((int32_t)sample - model->last, INT16_MAX);
    model->last = sample;
}

/* Residuals near zero, of either sign, become small numbers. */
static uint16_t fold(int16_t residual)
{
    return (uint16_t)(residual >= 0 ? 2 * residual : -2 * residual - 1);
}

static int16_t unfold(uint16_t code)
{
    return ein_int16((uint16_t)((code & 1u) != 0 ? ~(uint32_t)(code >> 1) : code >> 1));
}

/* ---- writing ---- */

static void put_bits(ein_log_ecg_coder_t *coder, uint32_t value, unsigned n)
{
    for (unsigned i = n; i-- > 0;) {
        if ((value >> i & 1u) != 0) {
            coder->code[coder->bits / 8u] |= (uint8_t)(0x80u >> coder->bits % 8u);
        }
        coder->bits++;
    }
}

/* The block behind the code so far. False: it does not fit, and nothing has changed. */
static bool put_block(ein_log_ecg_coder_t *coder)
{
    ein_log_ecg_model_t model = coder->model;
    uint16_t folded[EIN_LOG_ECG_BLOCK];
    for (unsigned i = 0; i < coder->waiting; i++) {
        const int16_t sample = coder->block[i];
        const int16_t residual = ein_int16((uint16_t)(sample - predict(&model)));
        folded[i] = fold(residual);
        learn(&model, sample, residual);
    }
    uint32_t least = UINT32_MAX;
    unsigned best = 0;
    for (unsigned k = 0; k <= K_MOST; k++) {
        uint32_t bits = K_BITS;
        for (unsigned i = 0; i < coder->waiting; i++) {
            bits += (uint32_t)(folded[i] >> k) + 1u + k;
        }
        if (bits < least) {
            least = bits;
            best = k;
        }
    }
    if (coder->bits + least > CODE_BITS) {
        return false;
    }
    put_bits(coder, best, K_BITS);
    for (unsigned i = 0; i < coder->waiting; i++) {
        for (unsigned zeros = (unsigned)folded[i] >> best; zeros > 0; zeros--) {
            put_bits(coder, 0, 1);
        }
        put_bits(coder, 1u << best | (folded[i] & ((1u << best) - 1u)), best + 1u);
    }
    coder->model = model;
    coder->fields.samples += coder->waiting;
    coder->waiting = 0;
    return true;
}

static void begin_piece(ein_log_ecg_coder_t *coder, int16_t first)
{
    const int32_t *const weights_q12 = coder->model.weights_q12;
    coder->fields.start = first;
    coder->fields.samples = 1;
    coder->fields.weight_1 = weights_q12[0] / WEIGHT_Q12;
    coder->fields.weight_2 = weights_q12[1] / WEIGHT_Q12;
    coder->fields.weight_3 = weights_q12[2] / WEIGHT_Q12;
    coder->fields.weight_4 = weights_q12[3] / WEIGHT_Q12;
    model_begin(&coder->model, &coder->fields);
    coder->begun = true;
    coder->bits = 0;
    memset(coder->code, 0, sizeof(coder->code));
}

static ein_log_status_t end_piece(ein_log_ecg_coder_t *coder, ein_log_t *log, uint32_t now_ms)
{
    const ein_log_status_t status = ein_log_append_rest(
        log, EIN_LOG_ECG, &coder->fields, coder->code, (coder->bits + 7u) / 8u, now_ms);
    coder->fields.first += coder->fields.samples;
    coder->fields.samples = 0;
    coder->begun = false;
    return status;
}

/* The block into this piece or, where that is full, into the next. */
static ein_log_status_t flush(ein_log_ecg_coder_t *coder, ein_log_t *log, uint32_t now_ms)
{
    if (put_block(coder)) {
        return EIN_LOG_OK;
    }
    const ein_log_status_t status = end_piece(coder, log, now_ms);
    begin_piece(coder, coder->block[0]);
    coder->waiting--;
    memmove(coder->block, coder->block + 1, coder->waiting * sizeof(coder->block[0]));
    return status;
}

void ein_log_ecg_begin(ein_log_ecg_coder_t *coder, uint16_t number)
{
    memset(coder, 0, sizeof(*coder));
    coder->fields.number = number;
    coder->model.weights_q12[0] = HALF_Q12;
}

ein_log_status_t ein_log_ecg_sample(ein_log_ecg_coder_t *coder, ein_log_t *log, int16_t sample,
                                    uint32_t now_ms)
{
    if (!coder->begun) {
        begin_piece(coder, sample);
        return EIN_LOG_OK;
    }
    coder->block[coder->waiting++] = sample;
    return coder->waiting < EIN_LOG_ECG_BLOCK ? EIN_LOG_OK : flush(coder, log, now_ms);
}

ein_log_status_t ein_log_ecg_end(ein_log_ecg_coder_t *coder, ein_log_t *log, uint32_t now_ms)
{
    ein_log_status_t status = EIN_LOG_OK;
    if (!coder->begun) {
        return status;
    }
    if (coder->waiting > 0) {
        status = flush(coder, log, now_ms);
        if (coder->waiting > 0) {
            put_block(coder); /* it fits: the piece is new */
        }
    }
    const ein_log_status_t last = end_piece(coder, log, now_ms);
    return status != EIN_LOG_OK ? status : last;
}

/* ---- reading ---- */

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
    model_begin(&model, fields);
    samples[0] = (int16_t)fields->start;
    uint32_t k = 0;
    for (uint32_t i = 1; i < fields->samples; i++) {
        uint16_t folded;
        if (((i - 1u) % EIN_LOG_ECG_BLOCK == 0 && !get_bits(&bits, K_BITS, &k)) ||
            !get_folded(&bits, k, &folded)) {
            return i;
        }
        const int16_t residual = unfold(folded);
        const int16_t sample = ein_int16((uint16_t)(predict(&model) + residual));
        learn(&model, sample, residual);
        samples[i] = sample;
    }
    return fields->samples;
}
