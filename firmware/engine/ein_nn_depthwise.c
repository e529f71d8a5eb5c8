#include "ein_nn_depthwise.h"

#include "ein_nn_conv_finish.h"

#if !EIN_NN_MVE
/* What a channel's positions share. The input's zero point is part of the bias, and everything is
 * doubled, as ein_nn_finish_doubled wants it. */
typedef struct {
    const int8_t *in, *weights;
    int8_t *out;
    int32_t in_step, tap_step, in_channels, out_channels;
    int32_t bias;
    ein_nn_rest_t rest;
} ein_nn_column_t;

#define INLINE static inline __attribute__((always_inline))
#define ALONE static __attribute__((noinline)) /* with all registers for itself */
#define MOST_TAPS 5                            /* that are kept in registers */

/* A channel's weights, doubled. With DSP instructions two in a register, or there were too few. */
#if EIN_NN_DSP
typedef struct {
    uint32_t pairs[(MOST_TAPS + 1) / 2];
} taps_t;
#else
typedef struct {
    int32_t one[MOST_TAPS];
} taps_t;
#endif

INLINE taps_t load(const int8_t *weights, int32_t step, int32_t taps)
{
    taps_t loaded = {{0}};

#pragma GCC unroll 5
    for (int32_t t = 0; t < taps; t++) {
        const int32_t twice = 2 * weights[t * step];
#if EIN_NN_DSP
        loaded.pairs[t / 2] |= t % 2 ? (uint32_t)twice << 16 : (uint16_t)twice;
#else
        loaded.one[t] = twice;
#endif
    }
    return loaded;
}

/* sum + x * tap t; t is a constant. */
INLINE int32_t mac(const taps_t *taps, int32_t t, int32_t x, int32_t sum)
{
#if EIN_NN_DSP
    const uint32_t pair = taps->pairs[t / 2];
    int32_t more;

    if (t % 2 != 0)
        __asm__("smlabt %0, %1, %2, %3" : "=r"(more) : "r"(x), "r"(pair), "r"(sum));
    else
        __asm__("smlabb %0, %1, %2, %3" : "=r"(more) : "r"(x), "r"(pair), "r"(sum));
    return more;
#else
    return sum + x * taps->one[t];
#endif
}

/* `count` positions of a channel whose windows lie inside the input. All that is not data stays in
 * registers; with a constant number of taps there is no loop over them. */
INLINE void few_taps(const ein_nn_column_t *column, int32_t count, int32_t taps)
{
    const ein_nn_rest_t rest = column->rest;
    const int32_t in_step = column->in_step, tap_step = column->tap_step, bias = column->bias;
    const int32_t out_step = column->out_channels;
    const taps_t weights = load(column->weights, out_step, taps);
    const int8_t *in = column->in;
    int8_t *out = column->out;

    for (; count > 0; count--) {
        const int8_t *x = in;
        int32_t sum = bias;

#pragma GCC unroll 5
        for (int32_t t = 0; t < taps; t++, x += tap_step)
            sum = mac(&weights, t, *x, sum);
        *out = ein_nn_finish_doubled(&rest, sum);
        in += in_step;
        out += out_step;
    }
}

/* The same where in, windows and out move by the same step: two positions share what they load. */
INLINE void few_taps_plain(const ein_nn_column_t *column, int32_t count, int32_t taps)
{
    const ein_nn_rest_t rest = column->rest;
    const int32_t step = column->out_channels, bias = column->bias;
    const taps_t weights = load(column->weights, step, taps);
    const int8_t *in = column->in;
    int8_t *out = column->out;
    const int8_t *const end = out + count * step;

    if (count % 2 != 0) {
        int32_t sum = bias;

#pragma GCC unroll 5
        for (int32_t t = 0; t < taps; t++)
            sum = mac(&weights, t, in[t * step], sum);
        *out = ein_nn_finish_doubled(&rest, sum);
        in += step;
        out += step;
    }
    while (out != end) {
        const int8_t *x = in;
        int32_t one = mac(&weights, 0, *x, bias), two = bias;

        in += 2 * step;
#pragma GCC unroll 5
        for (int32_t t = 1; t < taps; t++) {
            x += step;
            one = mac(&weights, t, *x, one);
            two = mac(&weights, t - 1, *x, two);
        }
        two = mac(&weights, taps - 1, x[step], two);
        *out = ein_nn_finish_doubled(&rest, one);
        out += step;
        *out = ein_nn_finish_doubled(&rest, two);
        out += step;
    }
}

ALONE void three_taps(const ein_nn_column_t *column, int32_t count)
{
    few_taps(column, count, 3);
}

ALONE void three_taps_plain(const ein_nn_column_t *column, int32_t count)
{
    few_taps_plain(column, count, 3);
}

ALONE void five_taps(const ein_nn_column_t *column, int32_t count)
{
    few_taps(column, count, 5);
}

ALONE void five_taps_plain(const ein_nn_column_t *column, int32_t count)
{
    few_taps_plain(column, count, 5);
}

/* Two positions at a time, which share the weights' loads; `taps` is no constant. */
ALONE void many_taps(const ein_nn_column_t *column, int32_t count, int32_t taps)
{
    const int32_t in_step = column->in_step, tap_step = column->tap_step;
    const int32_t out_step = column->out_channels;
    const int8_t *in = column->in;
    int8_t *out = column->out;

    for (; count > 0; count -= 2) {
        const int32_t ahead = count > 1 ? in_step : 0;
        const int8_t *x = in, *weight = column->weights;
        int32_t one = 0, two = 0;

        for (int32_t t = taps; t > 0; t--) {
            one += x[0] * *weight;
            two += x[ahead] * *weight;
            x += tap_step;
            weight += out_step;
        }
        out[0] = ein_nn_finish_doubled(&column->rest, column->bias + 2 * one);
        if (count > 1)
            out[out_step] = ein_nn_finish_doubled(&column->rest, column->bias + 2 * two);
        in += 2 * in_step;
        out += 2 * out_step;
    }
}

/* Positions from `first` to `end` of all channels; their windows lie inside the input. */
static void inside(const ein_nn_depthwise_t *l, const int8_t *in, int8_t *out, int32_t first,
                   int32_t end)
{
    const int32_t in_channels = l->out_channels / l->multiplier;
    const int plain = l->multiplier == 1 && l->stride == 1 && l->dilation == 1;
    ein_nn_column_t column = {
        .in_step = l->stride * in_channels,
        .tap_step = l->dilation * in_channels,
        .out_channels = l->out_channels,
    };

    in += (first * l->stride - l->pad_left) * in_channels;
    out += first * l->out_channels;
    for (int32_t i = 0, c = 0; i < in_channels; i++) {
        for (int32_t m = 0; m < l->multiplier; m++, c++) {
            int32_t weights = 0;

            for (int32_t t = 0; t < l->kernel; t++)
                weights += l->weights[t * l->out_channels + c];
            column.in = in + i;
            column.out = out + c;
            column.weights = l->weights + c;
            column.bias = 2 * (l->scales[c].bias - l->in_zero * weights);
            column.rest = ein_nn_rest(&l->scales[c], l->out_zero);
            if (l->kernel == 3)
                (plain ? three_taps_plain : three_taps)(&column, end - first);
            else if (l->kernel == 5)
                (plain ? five_taps_plain : five_taps)(&column, end - first);
            else
                many_taps(&column, end - first, l->kernel);
        }
    }
}

#endif

/* The taps of position p that lie inside the input. */
typedef struct {
    int32_t begin, end;
} seen_t;

static seen_t seen_by(const ein_nn_depthwise_t *l, int32_t p)
{
    const int32_t row = p * l->stride - l->pad_left;
    seen_t seen = {0, l->kernel};

    while (seen.begin < seen.end && row + seen.begin * l->dilation < 0)
        seen.begin++;
    while (seen.end > seen.begin && row + (seen.end - 1) * l->dilation >= l->in_length)
        seen.end--;
    return seen;
}

/* One position of all channels, wherever its window lies, of any layer. */
static void position(const ein_nn_depthwise_t *l, const int8_t *in, int8_t *out, int32_t p)
{
    const int32_t in_channels = l->out_channels / l->multiplier;
    const int32_t row = p * l->stride - l->pad_left;
    const seen_t seen = seen_by(l, p);

    out += p * l->out_channels;
    for (int32_t i = 0, c = 0; i < in_channels; i++) {
        for (int32_t m = 0; m < l->multiplier; m++, c++) {
            const ein_nn_scale_t *scale = &l->scales[c];
            int32_t sum = scale->bias;

            for (int32_t t = seen.begin; t < seen.end; t++)
                sum += (in[(row + t * l->dilation) * in_channels + i] - l->in_zero) *
                       l->weights[t * l->out_channels + c];
            sum = ein_nn_rescale(sum, scale->multiplier, scale->left, scale->right);
            *out++ = ein_nn_clamp(sum + l->out_zero, l->act_min, l->act_max);
        }
    }
}

/* A position at either end of a layer as ein_nn_depthwise wants it. */
static void position_small(const ein_nn_depthwise_t *l, const int8_t *in, int8_t *out, int32_t p)
{
#if EIN_NN_MVE
    const seen_t seen = seen_by(l, p);

    ein_nn_depthwise_mve(l, in, out, p, 1, seen.begin, seen.end);
    ein_nn_activate(out + p * l->out_channels, l->out_channels, l->act_min, l->act_max);
#else
    position(l, in, out, p);
#endif
}

void ein_nn_depthwise(const ein_nn_depthwise_t *layer, const int8_t *in, int8_t *out)
{
    const ein_nn_depthwise_t *l = layer;
    const int32_t reach = (l->kernel - 1) * l->dilation + 1 - l->pad_left;
    int32_t first = 0, end = l->out_length; /* whose windows lie inside */

    while (first < end && first * l->stride < l->pad_left)
        first++;
    while (end > first && (end - 1) * l->stride + reach > l->in_length)
        end--;
#if EIN_NN_MVE
    ein_nn_depthwise_mve(l, in, out, first, end - first, 0, l->kernel);
#else
    inside(l, in, out, first, end);
#endif
    ein_nn_activate(out + first * l->out_channels, (end - first) * l->out_channels, l->act_min,
                    l->act_max);
    for (int32_t p = 0; p < first; p++)
        position_small(l, in, out, p);
    for (int32_t p = end; p < l->out_length; p++)
        position_small(l, in, out, p);
}

void ein_nn_depthwise_any(const ein_nn_depthwise_t *layer, const int8_t *in, int8_t *out)
{
    for (int32_t p = 0; p < layer->out_length; p++)
        position(layer, in, out, p);
}
