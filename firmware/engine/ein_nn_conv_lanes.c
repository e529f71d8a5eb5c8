#include "ein_nn_conv_lanes.h"

#include "ein_nn_lanes.h"

#if EIN_NN_LANES

/* Blocks of four input values that a word of marks is for; their number is told in the header. */
#define MARKED_DEPTH (31 * 4)

/* Positions of a chunk: the lower halves of words are 0 .. pairs - 1, the upper ones begin
 * `distance` later. What both have, of an odd number, is computed twice. */
typedef struct {
    int32_t pairs, distance;
} halves_t;

static int32_t *pack(int32_t *to, const int8_t *low, const int8_t *high, int32_t n)
{
    for (const int32_t *const end = to + n / 4 * 4; to != end; to += 4, low += 4, high += 4) {
        to[0] = low[0] + high[0] * (1 << 16);
        to[1] = low[1] + high[1] * (1 << 16);
        to[2] = low[2] + high[2] * (1 << 16);
        to[3] = low[3] + high[3] * (1 << 16);
    }
    for (n %= 4; n > 0; n--)
        *to++ = *low++ + *high++ * (1 << 16);
    return to;
}

/* `count` rows from `row` on, with those `apart` further down in the upper halves. */
static int32_t *pack_rows(const ein_nn_conv_t *l, const int8_t *in, int32_t row, int32_t apart,
                          int32_t count, int32_t *to)
{
    const int32_t channels = l->in_channels, length = l->in_length;

    if (row >= 0 && row + apart + count <= length)
        return pack(to, in + row * channels, in + (row + apart) * channels, count * channels);
    for (; count > 0; count--, row++) {
        const int32_t low_inside = row >= 0 && row < length;
        const int32_t high_inside = row + apart >= 0 && row + apart < length;

        if (low_inside && high_inside) {
            to = pack(to, in + row * channels, in + (row + apart) * channels, channels);
            continue;
        }
        for (int32_t i = 0; i < channels; i++) {
            const int32_t low = low_inside ? in[row * channels + i] : l->in_zero;
            const int32_t high = high_inside ? in[(row + apart) * channels + i] : l->in_zero;

            *to++ = low + high * (1 << 16);
        }
    }
    return to;
}

static int32_t *fill(int32_t *to, int32_t n)
{
    while (n-- > 0)
        *to++ = 0;
    return to;
}

/* As gather of ein_nn_conv.c, for both halves. */
static void gather(const ein_nn_conv_t *l, const int8_t *in, int32_t first, halves_t halves,
                   int32_t *words)
{
    const int32_t rest = l->depth - l->kernel * l->in_channels;
    const int32_t apart = halves.distance * l->stride;
    int32_t row = first * l->stride - l->pad_left;

    if (l->flags & EIN_NN_CONV_ROWS) {
        const int32_t rows = (halves.pairs - 1) * l->stride + l->kernel;

        fill(pack_rows(l, in, row, apart, rows, words), rest);
        return;
    }
    for (int32_t n = 0; n < halves.pairs; n++, row += l->stride) {
        if (l->dilation == 1)
            words = pack_rows(l, in, row, apart, l->kernel, words);
        else
            for (int32_t t = 0; t < l->kernel; t++)
                words = pack_rows(l, in, row + t * l->dilation, apart, 1, words);
        words = fill(words, rest);
    }
}

/* How often a channel's words are taken apart: once a block, and once more where there is a mark.
 */
static int32_t partings(const uint32_t *marks, int32_t depth)
{
    int32_t n = depth / 4;

    for (; depth > 0; depth -= MARKED_DEPTH)
        for (uint32_t ones = *marks++; (ones &= ones - 1) != 0;)
            n++;
    return n;
}

/* A pair of channels, from `c` on, whose first output of the chunk is `out`. */
static void convolve_pair(const ein_nn_conv_t *l, int32_t c, const uint32_t *marks,
                          const int32_t *words, halves_t halves, int8_t *out)
{
    const ein_nn_scale_t *scale = l->scales + c;
    const uint32_t parted = (uint32_t)partings(marks, l->depth) << 15;
    ein_nn_lanes_t lanes; /* no initializer: it would clear what is to be saved there, too */

    lanes.weights = (const int8_t *)l->weights + c * l->depth;
    lanes.end = lanes.weights + 2 * l->depth;
    lanes.marks = marks;
    lanes.inputs = words;
    lanes.step = l->step * (int32_t)sizeof *words;
    lanes.out = out;
    lanes.channels = l->out_channels;
    lanes.upper = halves.distance * l->out_channels;
    lanes.second = c + 1 < l->out_channels;
    lanes.pairs = halves.pairs;
    for (int32_t i = 0; i < 2; i++) {
        const uint32_t bias = (uint32_t)scale[i].bias;

        lanes.start[i].high = scale[i].bias;
        lanes.start[i].all = (int32_t)(bias + (bias << 16) - parted);
        lanes.rest[i] = ein_nn_rest(&scale[i], l->out_zero);
#if EIN_NN_RV32
        lanes.rest[i].multiplier = (int32_t)(2 * (uint32_t)lanes.rest[i].multiplier);
#endif
    }
    ein_nn_lanes(&lanes);
}

void ein_nn_conv_lanes(const ein_nn_conv_t *layer, const int8_t *in, int8_t *out, int16_t *scratch)
{
    ein_nn_conv_lanes_rows(layer, in, out, scratch, 0, layer->out_length);
}

void ein_nn_conv_lanes_rows(const ein_nn_conv_t *layer, const int8_t *in, int8_t *out,
                            int16_t *scratch, int32_t first, int32_t rows)
{
    const int32_t end = first + rows, channels = layer->out_channels, depth = layer->depth;
    const int32_t marks = (depth + MARKED_DEPTH - 1) / MARKED_DEPTH;
    int32_t *const words = (int32_t *)(void *)scratch;

    for (; first < end; first += layer->chunk) {
        const int32_t left = end - first, count = left < layer->chunk ? left : layer->chunk;
        const halves_t halves = {count - count / 2, count / 2};
        int8_t *const to = out + first * channels;

        if (count < 2 || halves.pairs < EIN_NN_LANES_MIN_PAIRS) {
            ein_nn_conv_rows(layer, in, out, scratch, first, count);
            continue;
        }
        gather(layer, in, first, halves, words);
        for (int32_t c = 0; c < channels; c += 2)
            convolve_pair(layer, c, layer->marks + c / 2 * marks, words, halves, to + c);
        ein_nn_activate(to, count * channels, layer->act_min, layer->act_max);
    }
}

#endif
