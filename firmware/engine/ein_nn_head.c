#include "ein_nn_head.h"

#include <stddef.h>
#include <string.h>

/* |int8 weight x int8 input| is at most this. */
#define MOST_PRODUCT (128 * 128)
/* What a scale keeps. */
#define MOST_BIAS (EIN_NN_PACKED ? (1 << 23) - 1 : INT32_MAX)

static int32_t padded_channels(const ein_nn_conv_t *layer)
{
    return (layer->out_channels + 1) / 2 * 2;
}

static const ein_nn_head_scale_t *scales_of(const ein_nn_conv_t *layer, const int8_t *part)
{
    return (const void *)(part + padded_channels(layer) * layer->depth);
}

bool ein_nn_head_fits(const ein_nn_conv_t *layer, const int8_t *part)
{
    const ein_nn_head_scale_t *theirs = scales_of(layer, part);

    for (int32_t c = 0; c < padded_channels(layer); c++) {
        const ein_nn_scale_t *own = &layer->scales[c];
        const int32_t sum = ((1 << 30) >> own->left) - layer->depth * MOST_PRODUCT;
        const int32_t limit = sum < MOST_BIAS ? sum : MOST_BIAS;

        if (theirs[c].multiplier != own->multiplier || theirs[c].left != own->left ||
            theirs[c].right != own->right || theirs[c].bias > limit || theirs[c].bias < -limit)
            return false;
    }
    return true;
}

#if EIN_NN_PACKED
#define SLICE 8
#define BIAS ((uint64_t)0xFFFFFF)

/* So many channels at a time, whose scales are packed for it. */
static void convolve(const ein_nn_conv_t *layer, const int8_t *part, const int8_t *in, int8_t *out,
                     int16_t *scratch)
{
    const ein_nn_head_scale_t *theirs = scales_of(layer, part);

    for (int32_t c = 0; c < layer->out_channels; c += SLICE) {
        const int32_t left = layer->out_channels - c, n = left < SLICE ? left : SLICE;
        ein_nn_scale_t scales[SLICE];
        ein_nn_conv_t slice = *layer;

        for (int32_t i = 0; i < (n + 1) / 2 * 2; i++) {
            uint64_t word; /* the bias lies lowest in it */

            memcpy(&word, &layer->scales[c + i], sizeof(word));
            word = (word & ~BIAS) | ((uint64_t)theirs[c + i].bias & BIAS);
            memcpy(&scales[i], &word, sizeof(word));
        }
        slice.weights = part + c * layer->depth;
        slice.scales = scales;
        slice.out_channels = (int16_t)n;
        ein_nn_conv(&slice, in, out + c, scratch);
    }
}
#else
static void convolve(const ein_nn_conv_t *layer, const int8_t *part, const int8_t *in, int8_t *out,
                     int16_t *scratch)
{
    ein_nn_conv_t copy = *layer;

    copy.weights = part;
    copy.scales = (const void *)scales_of(layer, part);
    ein_nn_conv(&copy, in, out, scratch);
}
#endif

void ein_nn_head_conv(const ein_nn_conv_t *layer, const int8_t *head, int32_t offset,
                      const int8_t *in, int8_t *out, int16_t *scratch)
{
    if (head != NULL) {
        convolve(layer, head + offset, in, out, scratch);
    } else {
        ein_nn_conv(layer, in, out, scratch);
    }
}
