/* Sum of two tensors of the same size, with an activation's clamp.
 *
 * Both inputs are brought to twice the larger scale with 20 fractional bits. For the input `a` that
 * has the larger scale (either, when they are equal) the factor is exactly 1/2, so its value is (a
 * - a_zero) << 19; `b` is rescaled, and so is the sum. |intermediate| < 2^29. `out` may be `a` or
 * `b` or begin before either of them.
 */
#ifndef EIN_NN_ADD_H
#define EIN_NN_ADD_H

#include "ein_nn_fixed.h"

typedef struct {
    int32_t size;
    int32_t b_multiplier, out_multiplier;
    uint8_t b_right, out_right;
    int8_t a_zero, b_zero, out_zero, act_min, act_max;
} ein_nn_add_t;

/* b_right 1..28 and out_right 1..22, so that no step leaves 31 bits: any sane model's. */
void ein_nn_add(const ein_nn_add_t *layer, const int8_t *a, const int8_t *b, int8_t *out);

/* The same for some rows: `size` values from `first` on. */
void ein_nn_add_rows(const ein_nn_add_t *layer, const int8_t *a, const int8_t *b, int8_t *out,
                     int32_t first, int32_t size);

/* `size` values. */
void ein_nn_add_mve(const ein_nn_add_t *layer, const int8_t *a, const int8_t *b, int8_t *out,
                    int32_t size);

/* Any other. */
void ein_nn_add_any(const ein_nn_add_t *layer, const int8_t *a, const int8_t *b, int8_t *out);

#endif
