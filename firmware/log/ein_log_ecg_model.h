/* What the coder of a strip's ECG and its reader share: the predictor. Private to firmware/log.
 *
 * Weights Q12; a sum of four products with a difference, of at most 16 bits, stays below 2^31.
 */
#ifndef EIN_LOG_ECG_MODEL_H
#define EIN_LOG_ECG_MODEL_H

#include <string.h>

#include "ein_bytes.h"
#include "ein_log_ecg.h"

#define EIN_LOG_ECG_K_BITS 4u
#define EIN_LOG_ECG_K_MOST 15u
#define EIN_LOG_ECG_STEP_Q12 16
#define EIN_LOG_ECG_WEIGHT_MOST_Q12 12288
#define EIN_LOG_ECG_HALF_Q12 2048
#define EIN_LOG_ECG_WEIGHT_Q12 128 /* of a weight in a piece's fields */

static inline int32_t ein_log_ecg_sign(int32_t value)
{
    return (value > 0) - (value < 0);
}

static inline int32_t ein_log_ecg_clamp(int32_t value, int32_t most)
{
    return value > most ? most : value < -most ? -most : value;
}

/* By the weights in the piece's fields. */
static inline void ein_log_ecg_model_begin(ein_log_ecg_model_t *model, const ein_log_ecg_t *fields)
{
    const int32_t weights_q5[EIN_LOG_ECG_TAPS] = {fields->weight_1, fields->weight_2,
                                                  fields->weight_3, fields->weight_4};
    memset(model, 0, sizeof(*model));
    for (unsigned i = 0; i < EIN_LOG_ECG_TAPS; i++) {
        model->weights_q12[i] =
            ein_log_ecg_clamp(weights_q5[i] * EIN_LOG_ECG_WEIGHT_Q12, EIN_LOG_ECG_WEIGHT_MOST_Q12);
    }
    model->last = (int16_t)fields->start;
}

static inline int16_t ein_log_ecg_predict(const ein_log_ecg_model_t *model)
{
    int32_t sum = EIN_LOG_ECG_HALF_Q12;
    for (unsigned i = 0; i < EIN_LOG_ECG_TAPS; i++) {
        sum += model->weights_q12[i] * model->differences[i];
    }
    /* Rounded down; the conversion of a negative shift is the compiler's, so divide. */
    const int32_t step = sum >= 0 ? sum / 4096 : -((4095 - sum) / 4096);
    return ein_int16((uint16_t)(model->last + step));
}

static inline void ein_log_ecg_learn(ein_log_ecg_model_t *model, int16_t sample, int16_t residual)
{
    const int32_t step = EIN_LOG_ECG_STEP_Q12 * ein_log_ecg_sign(residual);
    for (unsigned i = 0; i < EIN_LOG_ECG_TAPS; i++) {
        model->weights_q12[i] = ein_log_ecg_clamp(
            model->weights_q12[i] + step * ein_log_ecg_sign(model->differences[i]),
            EIN_LOG_ECG_WEIGHT_MOST_Q12);
    }
    for (unsigned i = EIN_LOG_ECG_TAPS - 1u; i > 0; i--) {
        model->differences[i] = model->differences[i - 1u];
    }
    model->differences[0] = ein_log_ecg_clamp((int32_t)sample - model->last, INT16_MAX);
    model->last = sample;
}

/* Residuals near zero, of either sign, become small numbers. */
static inline uint16_t ein_log_ecg_fold(int16_t residual)
{
    return (uint16_t)(residual >= 0 ? 2 * residual : -2 * residual - 1);
}

static inline int16_t ein_log_ecg_unfold(uint16_t code)
{
    return ein_int16((uint16_t)((code & 1u) != 0 ? ~(uint32_t)(code >> 1) : code >> 1));
}

#endif
