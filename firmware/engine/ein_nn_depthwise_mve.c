/* Depthwise convolution with Helium: four channels of a position at a time, 32-bit lanes. */
#include "ein_nn_depthwise.h"
#include "ein_nn_mve.h"

#if EIN_NN_MVE

#define LANES EIN_NN_MVE_LANES
#define INLINE static inline __attribute__((always_inline))
#define ALONE static __attribute__((noinline)) /* with all vector registers for itself */
#define MOST_TAPS 5                            /* that are kept in registers */

/* Up to four channels at positions that see the same taps. */
typedef struct {
    const int8_t *in, *weights; /* of the first channel, position and tap */
    int8_t *out;
    int32_t count, taps;
    int32_t in_step, tap_step, out_step;
    int32_t zero;    /* of the output */
    uint32x4_t from; /* where a lane's input channel lies */
    int32x4_t bias, multiplier, minus_right;
    mve_pred16_t there;
} column_t;

INLINE int32x4_t finish(const column_t *column, int32x4_t sum)
{
    const int32x4_t high = vqrdmulhq_s32(sum, column->multiplier);
    const int32x4_t value = ein_nn_mve_round(high, sum, column->minus_right);

    return ein_nn_mve_saturate(vaddq_n_s32(value, column->zero));
}

/* Four channels whose inputs are neighbours; `taps` is a constant, so that weights are registers.
 */
INLINE void few_taps(const column_t *column, int32_t taps)
{
    const column_t c = *column;
    const int8_t *in = c.in;
    int8_t *out = c.out;
    int32x4_t weights[MOST_TAPS];

#pragma GCC unroll 5
    for (int32_t t = 0; t < taps; t++)
        weights[t] = vldrbq_s32(c.weights + t * c.out_step);
    for (int32_t n = c.count; n > 0; n--, in += c.in_step, out += c.out_step) {
        const int8_t *x = in;
        int32x4_t sum = c.bias;

#pragma GCC unroll 5
        for (int32_t t = 0; t < taps; t++, x += c.tap_step)
            sum = vaddq_s32(sum, vmulq_s32(vldrbq_s32(x), weights[t]));
        vstrbq_s32(out, finish(&c, sum));
    }
}

ALONE void three_taps(const column_t *column)
{
    few_taps(column, 3);
}

ALONE void five_taps(const column_t *column)
{
    few_taps(column, 5);
}

/* Any layer's. */
ALONE void any_taps(const column_t *column)
{
    const column_t c = *column;
    const int8_t *in = c.in;
    int8_t *out = c.out;

    for (int32_t n = c.count; n > 0; n--, in += c.in_step, out += c.out_step) {
        const int8_t *x = in, *weights = c.weights;
        int32x4_t sum = c.bias;

        for (int32_t t = c.taps; t > 0; t--, x += c.tap_step, weights += c.out_step)
            sum = vaddq_s32(sum, vmulq_s32(vldrbq_gather_offset_z_s32(x, c.from, c.there),
                                           vldrbq_z_s32(weights, c.there)));
        vstrbq_p_s32(out, finish(&c, sum), c.there);
    }
}

/* What the input's zero point takes from the sums of `taps` taps, in all lanes. */
static int32x4_t zero_part(const column_t *column, int32_t zero)
{
    int32x4_t sum = vdupq_n_s32(0);

    for (int32_t t = 0; t < column->taps; t++)
        sum = vaddq_s32(sum, vldrbq_z_s32(column->weights + t * column->out_step, column->there));
    return vmulq_n_s32(sum, zero);
}

void ein_nn_depthwise_mve(const ein_nn_depthwise_t *l, const int8_t *in, int8_t *out, int32_t first,
                          int32_t count, int32_t begin, int32_t end)
{
    const int32_t in_channels = l->out_channels / l->multiplier;
    const int32_t row = first * l->stride + begin * l->dilation - l->pad_left;
    const uint32x4_t lanes = vidupq_n_u32(0, 1);
    const uint32x4_t scales = vmulq_n_u32(lanes, sizeof *l->scales);
    column_t column = {
        .count = count,
        .taps = end - begin,
        .in_step = l->stride * in_channels,
        .tap_step = l->dilation * in_channels,
        .out_step = l->out_channels,
        .zero = l->out_zero,
    };

    in += row * in_channels;
    out += first * l->out_channels;
    for (int32_t c = 0; c < l->out_channels; c += LANES) {
        const ein_nn_scale_t *scale = &l->scales[c];
        uint32_t offsets[LANES];

        column.there = ein_nn_mve_first(l->out_channels - c);
        for (int32_t i = 0; i < LANES; i++)
            offsets[i] = (uint32_t)(l->multiplier == 1 ? c + i : (c + i) / l->multiplier);
        column.from = vld1q_u32(offsets);
        column.in = in;
        column.weights = l->weights + begin * l->out_channels + c;
        column.out = out + c;
        column.bias = vsubq_s32(vldrwq_gather_offset_z_s32(&scale->bias, scales, column.there),
                                zero_part(&column, l->in_zero));
        column.multiplier = vldrwq_gather_offset_z_s32(&scale->multiplier, scales, column.there);
        column.minus_right = vnegq_s32(
            vreinterpretq_s32_u32(vldrbq_gather_offset_z_u32(&scale->right, scales, column.there)));
        if (l->multiplier == 1 && c + LANES <= l->out_channels &&
            (column.taps == 3 || column.taps == 5)) {
            column.in = in + c;
            (column.taps == 3 ? three_taps : five_taps)(&column);
        } else {
            any_taps(&column);
        }
    }
}

#endif
