/* 1-D maximum and average pooling. Scale and zero point of input and output are the same.
 *
 * in int8 [in_length][channels], out int8 [out_length][channels]. Positions outside the input are
 * left out: they are no maximum and are not counted in an average. The average is rounded half away
 * from zero. `out` may overlap rows of `in` that are no longer needed (codegen/engine/planner.py).
 */
#ifndef EIN_NN_POOL_H
#define EIN_NN_POOL_H

#include "ein_nn_fixed.h"

typedef struct {
    int16_t in_length, out_length, channels;
    int16_t kernel, stride, pad_left;
    int8_t act_min, act_max;
} ein_nn_pool_t;

void ein_nn_max_pool(const ein_nn_pool_t *layer, const int8_t *in, int8_t *out);
void ein_nn_average_pool(const ein_nn_pool_t *layer, const int8_t *in, int8_t *out);

/* The same for `rows` positions from `first` on; in and out are still those of all. */
void ein_nn_max_pool_rows(const ein_nn_pool_t *layer, const int8_t *in, int8_t *out, int32_t first,
                          int32_t rows);
void ein_nn_average_pool_rows(const ein_nn_pool_t *layer, const int8_t *in, int8_t *out,
                              int32_t first, int32_t rows);

#endif
