/* 1-D depthwise convolution: every output channel sees one input channel.
 *
 * in int8 [in_length][out_channels / multiplier], out int8 [out_length][out_channels], weights int8
 * [kernel][out_channels]; output channel c sees input channel c / multiplier. Accumulator int32,
 * exact. Positions outside the input add nothing: where a window leaves it, the input's zero point
 * is subtracted tap by tap, elsewhere once from the bias.
 *
 * Work: channel by channel, with Helium four by four, three and five taps with all weights in
 * registers.
 */
#ifndef EIN_NN_DEPTHWISE_H
#define EIN_NN_DEPTHWISE_H

#include "ein_nn_fixed.h"

typedef struct {
    const int8_t *weights;
    const ein_nn_scale_t *scales; /* one per output channel */
    int16_t in_length, out_length, out_channels, multiplier;
    int16_t kernel, stride, dilation, pad_left;
    int8_t in_zero, out_zero, act_min, act_max;
} ein_nn_depthwise_t;

/* Every channel of the layer: |accumulator| < 2^30 and right 1..22. */
void ein_nn_depthwise(const ein_nn_depthwise_t *layer, const int8_t *in, int8_t *out);

/* `count` positions from `first` on, whose windows lie inside the input but for the taps before
 * `begin` and from `end` on. */
void ein_nn_depthwise_mve(const ein_nn_depthwise_t *layer, const int8_t *in, int8_t *out,
                          int32_t first, int32_t count, int32_t begin, int32_t end);

/* A layer that is not as ein_nn_depthwise wants it. */
void ein_nn_depthwise_any(const ein_nn_depthwise_t *layer, const int8_t *in, int8_t *out);

#endif
