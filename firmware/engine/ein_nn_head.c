#include "ein_nn_head.h"

#include <stddef.h>

/* |int8 weight x int8 input| is at most this. */
#define MOST_PRODUCT (128 * 128)

static int32_t padded_channels(const ein_nn_conv_t *layer)
{
    return (layer->out_channels + 1) / 2 * 2;
}

static const ein_nn_scale_t *scales_of(const ein_nn_conv_t *layer, const int8_t *part)
{
    return (const void *)(part + padded_channels(layer) * layer->depth);
}

bool ein_nn_head_fits(const ein_nn_conv_t *layer, const int8_t *part)
{
    const ein_nn_scale_t *theirs = scales_of(layer, part);

    for (int32_t c = 0; c < padded_channels(layer); c++) {
        const ein_nn_scale_t *own = &layer->scales[c];
        const int32_t limit = ((1 << 30) >> own->left) - layer->depth * MOST_PRODUCT;

        if (theirs[c].multiplier != own->multiplier || theirs[c].left != own->left ||
            theirs[c].right != own->right || theirs[c].bias > limit || theirs[c].bias < -limit)
            return false;
    }
    return true;
}

void ein_nn_head_conv(const ein_nn_conv_t *layer, const int8_t *head, int32_t offset,
                      const int8_t *in, int8_t *out, int16_t *scratch)
{
    ein_nn_conv_t copy = *layer;

    if (head != NULL) {
        copy.weights = head + offset;
        copy.scales = scales_of(layer, head + offset);
    }
    ein_nn_conv(&copy, in, out, scratch);
}
