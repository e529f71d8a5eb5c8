/* Four channels by four positions on RV32; private to ein_nn_conv*.c. */
#ifndef EIN_NN_CONV_RV32_H
#define EIN_NN_CONV_RV32_H

#include <stddef.h>

#include "ein_nn_conv_finish.h"

/* ein_nn_rest_t with twice the multiplier, instead of twice the sum. */
typedef struct {
    uint32_t multiplier;
    int32_t rounding;
    uint32_t right;
} ein_nn_quad_rest_t;

/* Four output channels, and where their results go. */
typedef struct {
    const int8_t *weights[2]; /* of two pairs of channels */
    const int8_t *end;        /* of the first pair's */
    int32_t back; /* bytes from the end of a position's inputs to those of four positions on */
    int32_t channels;
    int8_t *out, *out_end; /* a multiple of four positions apart, at least one */
    int32_t bias[4];
    ein_nn_quad_rest_t rest[4];
    int32_t saved[13]; /* the caller's registers, here so that the compiler's stack figures hold */
} ein_nn_quad_t;

/* inputs: of the first position; step: elements from one position to the next. */
void ein_nn_conv_quad(ein_nn_quad_t *quad, const int16_t *inputs, int32_t step);

#endif
