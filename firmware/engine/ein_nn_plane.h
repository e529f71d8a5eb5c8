/* Convolution and pooling over two dimensions, in groups, or transposed: what the 1-D kernels do
 * not take. Plain C, made to be right and small, not fast.
 *
 * in int8 [in_height][in_width][in_channels], out int8 [out_height][out_width][out_channels]; they
 * do not overlap. Output channel c sees the in_channels / groups channels of its group. A window's
 * position p * stride + tap * dilation - pad counts input positions with up - 1 zeros between them,
 * so that a transposed convolution (TRANSPOSE_CONV) is one with up = its stride and its taps
 * reversed.
 *
 * Accumulator: int32, exact; the input's zero point is subtracted tap by tap, so positions outside
 * the input add nothing. Averages are rounded half away from zero, over the positions that exist.
 *
 * Flash: a byte per weight and 12 per output channel. No scratch.
 */
#ifndef EIN_NN_PLANE_H
#define EIN_NN_PLANE_H

#include "ein_nn_fixed.h"

/* One dimension. */
typedef struct {
    int16_t in, out, kernel, stride, dilation, pad, up;
} ein_nn_axis_t;

typedef struct {
    const int8_t *weights;        /* [out_channels][height][width][in_channels / groups] */
    const ein_nn_scale_t *scales; /* one per output channel */
    ein_nn_axis_t y, x;
    int16_t in_channels, out_channels, groups;
    int8_t in_zero, out_zero, act_min, act_max;
} ein_nn_conv_2d_t;

typedef struct {
    ein_nn_axis_t y, x;
    int16_t channels;
    int8_t act_min, act_max;
} ein_nn_pool_2d_t;

void ein_nn_conv_2d(const ein_nn_conv_2d_t *layer, const int8_t *in, int8_t *out);
void ein_nn_max_pool_2d(const ein_nn_pool_2d_t *layer, const int8_t *in, int8_t *out);
void ein_nn_average_pool_2d(const ein_nn_pool_2d_t *layer, const int8_t *in, int8_t *out);

#endif
