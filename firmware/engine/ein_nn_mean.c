#include "ein_nn_mean.h"

void ein_nn_mean(const ein_nn_mean_t *layer, const int8_t *in, int8_t *out)
{
    for (int32_t c = 0; c < layer->channels; c++) {
        int32_t sum = layer->offset;

        for (int32_t row = 0; row < layer->length; row++)
            sum += in[row * layer->channels + c];
        sum = ein_nn_rescale(sum, layer->multiplier, layer->left, layer->right);
        out[c] = ein_nn_clamp(sum + layer->out_zero, INT8_MIN, INT8_MAX);
    }
}
