#include "ein_nn_mean.h"

static inline void mean(const ein_nn_mean_t *layer, const int8_t *in, int8_t *out, int32_t row_step,
                        int32_t channel_step)
{
    for (int32_t c = 0; c < layer->channels; c++) {
        int32_t sum = layer->offset;

        for (int32_t row = 0; row < layer->length; row++)
            sum += in[row * row_step + c * channel_step];
        sum = ein_nn_rescale(sum, layer->multiplier, layer->left, layer->right);
        out[c] = ein_nn_clamp(sum + layer->out_zero, INT8_MIN, INT8_MAX);
    }
}

void ein_nn_mean(const ein_nn_mean_t *layer, const int8_t *in, int8_t *out)
{
    mean(layer, in, out, layer->channels, 1);
}

void ein_nn_mean_last(const ein_nn_mean_t *layer, const int8_t *in, int8_t *out)
{
    mean(layer, in, out, 1, layer->length);
}
