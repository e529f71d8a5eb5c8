/* The same values in another scale and zero point (TFLite's QUANTIZE from int8 to int8).
 *
 * out = clamp(out_zero + rescale(in - in_zero)). `out` may be `in` or begin before it.
 */
#ifndef EIN_NN_REQUANTIZE_H
#define EIN_NN_REQUANTIZE_H

#include "ein_nn_fixed.h"

typedef struct {
    int32_t size;
    int32_t multiplier;
    uint8_t left, right;
    int8_t in_zero, out_zero;
} ein_nn_requantize_t;

void ein_nn_requantize(const ein_nn_requantize_t *layer, const int8_t *in, int8_t *out);

#endif
