/* Softmax over the channels of each position, int8 to int8 (scale 1/256, zero point -128), as
 * TFLite Micro computes it.
 *
 * The difference to the row's maximum, times beta * scale, is Q5.26; its exponential is Q0.31, by a
 * Taylor polynomial of degree 4 around -1/8 and a table of exp(-2^k); the sum is Q12.19; its
 * reciprocal takes three steps of Newton and Raphson in Q2.29. Channels that are `diff_min` below
 * the maximum or lower give -128. At most 511 channels: their sum stays below 2^28, and with it the
 * last shift below 32 (beyond, TFLite Micro's result is undefined).
 */
#ifndef EIN_NN_SOFTMAX_H
#define EIN_NN_SOFTMAX_H

#include "ein_nn_fixed.h"

typedef struct {
    int32_t multiplier; /* of the difference, after the shift to the left */
    int32_t diff_min;   /* <= 0 */
    uint8_t left;
    int16_t length, channels;
} ein_nn_softmax_t;

void ein_nn_softmax(const ein_nn_softmax_t *layer, const int8_t *in, int8_t *out);

#endif
