/* Two tensors value by value, either of which may repeat: MUL, ADD and SUB with broadcasting or
 * constants, PRELU.
 *
 * out int8 [rows][columns], dense. Value [row][column] of an input lies row * row_step + column *
 * column_step bytes from its begin; a step of 0 repeats. `out` may be, or begin before, an input
 * that has its shape and is dense; see Pair.in_order in codegen/engine/graph.py for others.
 *
 * Accumulators: int32, exact; the generator proves that no product shifted left leaves 32 bits.
 */
#ifndef EIN_NN_PAIR_H
#define EIN_NN_PAIR_H

#include "ein_nn_fixed.h"

typedef struct {
    int32_t multiplier;
    uint8_t left, right;
} ein_nn_factor_t;

typedef struct {
    int32_t rows, columns;
    int32_t a_row, a_column, b_row, b_column; /* steps */
    ein_nn_factor_t factors[3];               /* as the function says */
    int8_t a_zero, b_zero, out_zero, act_min, act_max;
    int8_t subtract; /* of sum: a - b */
} ein_nn_pair_t;

/* (a - a_zero) * (b - b_zero), rescaled by factors[0]. */
void ein_nn_mul(const ein_nn_pair_t *layer, const int8_t *a, const int8_t *b, int8_t *out);

/* a + b, or a - b: with 20 fractional bits rescaled by factors[0] and [1], at most 1/2, so that
   |sum| < 2^29; their sum by [2]. */
void ein_nn_sum(const ein_nn_pair_t *layer, const int8_t *a, const int8_t *b, int8_t *out);

/* a, rescaled by factors[0], where it is not negative; else a * b, rescaled by [1]. */
void ein_nn_prelu(const ein_nn_pair_t *layer, const int8_t *a, const int8_t *b, int8_t *out);

#endif
