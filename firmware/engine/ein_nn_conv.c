#include "ein_nn_conv.h"

#include "ein_nn_dsp.h"

static void fill(int16_t *to, int32_t n, int16_t value)
{
    for (int32_t i = 0; i < n; i++)
        to[i] = value;
}

/* Up to three zeros; what they are multiplied with is zero too. */
static void pad(int16_t *to, int32_t n)
{
    for (; n > 0; n--)
        to[n - 1] = 0;
}

static void widen(int16_t *to, const int8_t *from, int32_t n)
{
    int32_t i = 0;

#if EIN_NN_DSP
    for (; i + 4 <= n; i += 4)
        ein_nn_dsp_widen4(to + i, from + i);
#endif
    for (; i < n; i++)
        to[i] = from[i];
}

/* Rows first * stride - pad_left and following, as many as `count` positions see, one after the
 * other. */
static void gather_rows(const ein_nn_conv_t *l, const int8_t *in, int32_t first, int32_t count,
                        int16_t *columns)
{
    const int32_t channels = l->in_channels;
    const int32_t rows = (count - 1) * l->stride + l->kernel;
    const int32_t row = first * l->stride - l->pad_left;
    int32_t begin = row < 0 ? -row : 0;
    int32_t end = l->in_length - row;

    begin = begin > rows ? rows : begin;
    end = end > rows ? rows : end;
    end = end < begin ? begin : end;
    fill(columns, begin * channels, l->in_zero);
    widen(columns + begin * channels, in + (row + begin) * channels, (end - begin) * channels);
    fill(columns + end * channels, (rows - end) * channels, l->in_zero);
    pad(columns + rows * channels, l->depth - l->kernel * channels);
}

/* For each position the rows that its taps see. */
static void gather_columns(const ein_nn_conv_t *l, const int8_t *in, int32_t first, int32_t count,
                           int16_t *columns)
{
    const int32_t channels = l->in_channels;

    for (int32_t n = 0; n < count; n++) {
        int16_t *to = columns + n * l->step;
        for (int32_t t = 0; t < l->kernel; t++, to += channels) {
            const int32_t row = (first + n) * l->stride + t * l->dilation - l->pad_left;
            if (row >= 0 && row < l->in_length)
                widen(to, in + row * channels, channels);
            else
                fill(to, channels, l->in_zero);
        }
        pad(to, l->depth - l->kernel * channels);
    }
}

void ein_nn_conv(const ein_nn_conv_t *layer, const int8_t *in, int8_t *out, int16_t *scratch)
{
    for (int32_t first = 0; first < layer->out_length; first += layer->chunk) {
        const int32_t left = layer->out_length - first;
        const int32_t count = left < layer->chunk ? left : layer->chunk;

        if (layer->flags & EIN_NN_CONV_ROWS)
            gather_rows(layer, in, first, count, scratch);
        else
            gather_columns(layer, in, first, count, scratch);
#if EIN_NN_DSP
        if (layer->flags & EIN_NN_CONV_SMALL) {
            ein_nn_conv_chunk_dsp(layer, scratch, count, out + first * layer->out_channels);
            continue;
        }
#endif
        ein_nn_conv_chunk(layer, scratch, count, out + first * layer->out_channels);
    }
}

static int8_t finish(const ein_nn_conv_t *l, const ein_nn_scale_t *scale, int32_t sum)
{
    return ein_nn_clamp(ein_nn_rescale(sum, scale->multiplier, scale->left, scale->right) +
                            l->out_zero,
                        l->act_min, l->act_max);
}

void ein_nn_conv_chunk(const ein_nn_conv_t *layer, const int16_t *columns, int32_t count,
                       int8_t *out)
{
    const int8_t *weights = layer->weights;

    for (int32_t c = 0; c < layer->out_channels; c += 2, weights += 2 * layer->depth) {
        const ein_nn_scale_t *scale = layer->scales + c;
        const int32_t both = c + 1 < layer->out_channels;

        for (int32_t n = 0; n < count; n += 2) {
            const int16_t *x = columns + n * layer->step;
            const int16_t *y =
                n + 1 < count ? x + layer->step : x; /* an odd last position is computed twice */
            const int8_t *w = weights;
            int32_t x0 = scale[0].bias, x1 = scale[1].bias, y0 = x0, y1 = x1;

            for (int32_t k = 0; k < layer->depth; k += 4, w += 8, x += 4, y += 4) {
                x0 += x[0] * w[0] + x[1] * w[2] + x[2] * w[1] + x[3] * w[3];
                x1 += x[0] * w[4] + x[1] * w[6] + x[2] * w[5] + x[3] * w[7];
                y0 += y[0] * w[0] + y[1] * w[2] + y[2] * w[1] + y[3] * w[3];
                y1 += y[0] * w[4] + y[1] * w[6] + y[2] * w[5] + y[3] * w[7];
            }

            int8_t *to = out + n * layer->out_channels + c;
            to[0] = finish(layer, &scale[0], x0);
            if (both)
                to[1] = finish(layer, &scale[1], x1);
            if (n + 1 < count) {
                to += layer->out_channels;
                to[0] = finish(layer, &scale[0], y0);
                if (both)
                    to[1] = finish(layer, &scale[1], y1);
            }
        }
    }
}
