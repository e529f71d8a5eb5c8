/* Mean over the length: int8 [length][channels] to int8 [channels].
 *
 * out = clamp(out_zero + rescale(sum - length * in_zero)); 1/length is part of the factor, as
 * TFLite Micro has it.
 */
#ifndef EIN_NN_MEAN_H
#define EIN_NN_MEAN_H

#include "ein_nn_fixed.h"

typedef struct {
    int32_t offset; /* -length * in_zero */
    int32_t multiplier;
    uint8_t left, right;
    int16_t length, channels;
    int8_t out_zero;
} ein_nn_mean_t;

void ein_nn_mean(const ein_nn_mean_t *layer, const int8_t *in, int8_t *out);

/* The same of int8 [channels][length]: what is behind each other is what is averaged. */
void ein_nn_mean_last(const ein_nn_mean_t *layer, const int8_t *in, int8_t *out);

#endif
