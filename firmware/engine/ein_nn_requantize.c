#include "ein_nn_requantize.h"

void ein_nn_requantize(const ein_nn_requantize_t *layer, const int8_t *in, int8_t *out)
{
    for (int32_t i = 0; i < layer->size; i++) {
        const int32_t value =
            ein_nn_rescale(in[i] - layer->in_zero, layer->multiplier, layer->left, layer->right);

        out[i] = ein_nn_clamp(value + layer->out_zero, INT8_MIN, INT8_MAX);
    }
}
