#include "ein_nn_depthwise.h"

void ein_nn_depthwise(const ein_nn_depthwise_t *layer, const int8_t *in, int8_t *out)
{
    const ein_nn_depthwise_t *l = layer;
    const int32_t in_channels = l->out_channels / l->multiplier;

    for (int32_t p = 0; p < l->out_length; p++) {
        const int32_t row = p * l->stride - l->pad_left;
        int32_t begin = 0, end = l->kernel; /* the taps that lie inside the input */

        while (begin < end && row + begin * l->dilation < 0)
            begin++;
        while (end > begin && row + (end - 1) * l->dilation >= l->in_length)
            end--;
        for (int32_t i = 0, c = 0; i < in_channels; i++) {
            for (int32_t m = 0; m < l->multiplier; m++, c++) {
                const ein_nn_scale_t *scale = &l->scales[c];
                int32_t sum = scale->bias;

                for (int32_t t = begin; t < end; t++)
                    sum += (in[(row + t * l->dilation) * in_channels + i] - l->in_zero) *
                           l->weights[t * l->out_channels + c];
                sum = ein_nn_rescale(sum, scale->multiplier, scale->left, scale->right);
                *out++ = ein_nn_clamp(sum + l->out_zero, l->act_min, l->act_max);
            }
        }
    }
}
