/* What follows a convolution's sum; private to ein_nn_conv*.c. */
#ifndef EIN_NN_CONV_FINISH_H
#define EIN_NN_CONV_FINISH_H

#include "ein_nn_conv.h"
#include "ein_nn_fixed.h"

/* One output channel. The output's zero point is part of the rounding constant; so is, but where
 * there is SSAT, 128, so that what fits int8 is 0..255. */
typedef struct {
    int32_t multiplier, rounding;
    uint32_t right;
} ein_nn_rest_t;

#define EIN_NN_REST_OFFSET (EIN_NN_SSAT ? 0 : 128)

/* Of a layer as ein_nn_conv wants it. */
static inline ein_nn_rest_t ein_nn_rest(const ein_nn_scale_t *scale, int32_t out_zero)
{
    const uint32_t right = scale->right;
    const int32_t zero = out_zero + EIN_NN_REST_OFFSET;
    const ein_nn_rest_t rest = {scale->multiplier, zero * (1 << right) + (1 << (right - 1)), right};

    return rest;
}

/* Of twice the sum: rescaled, in the output's units, saturated to int8. |sum| < 2^30, right 1..22
   and thus left = 0: nothing overflows. */
static inline int8_t ein_nn_finish_doubled(const ein_nn_rest_t *rest, int32_t doubled)
{
    int32_t value = ein_nn_rescale_doubled(doubled, rest->multiplier, rest->rounding, rest->right);

    if (EIN_NN_SSAT)
        return ein_nn_saturate(value);
    if ((uint32_t)value > UINT8_MAX)
        value = ~(value >> 31); /* 0 or -1, which as a byte is 255 */
    return (int8_t)(value - EIN_NN_REST_OFFSET);
}

static inline int8_t ein_nn_finish(const ein_nn_rest_t *rest, int32_t sum)
{
    return ein_nn_finish_doubled(rest, sum * 2);
}

#endif
