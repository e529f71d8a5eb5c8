#include "ein_log_ecg.h"

#include "ein_log_ecg_model.h"

#define CODE_BITS (8u * EIN_LOG_ECG_CODE_BYTES)

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
        const int16_t residual = ein_int16((uint16_t)(sample - ein_log_ecg_predict(&model)));
        folded[i] = ein_log_ecg_fold(residual);
        ein_log_ecg_learn(&model, sample, residual);
    }
    uint32_t least = UINT32_MAX;
    unsigned best = 0;
    for (unsigned k = 0; k <= EIN_LOG_ECG_K_MOST; k++) {
        uint32_t bits = EIN_LOG_ECG_K_BITS;
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
    put_bits(coder, best, EIN_LOG_ECG_K_BITS);
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
    coder->fields.weight_1 = weights_q12[0] / EIN_LOG_ECG_WEIGHT_Q12;
    coder->fields.weight_2 = weights_q12[1] / EIN_LOG_ECG_WEIGHT_Q12;
    coder->fields.weight_3 = weights_q12[2] / EIN_LOG_ECG_WEIGHT_Q12;
    coder->fields.weight_4 = weights_q12[3] / EIN_LOG_ECG_WEIGHT_Q12;
    ein_log_ecg_model_begin(&coder->model, &coder->fields);
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
    coder->model.weights_q12[0] = EIN_LOG_ECG_HALF_Q12;
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

ein_log_status_t ein_log_ecg_skip(ein_log_ecg_coder_t *coder, ein_log_t *log, uint32_t n,
                                  uint32_t now_ms)
{
    const ein_log_status_t status = ein_log_ecg_end(coder, log, now_ms);
    coder->fields.first += n;
    return status;
}
