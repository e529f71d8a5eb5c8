#include "ein_nn_conv.h"

#include "ein_nn_avx2.h"
#include "ein_nn_conv_finish.h"
#include "ein_nn_dsp.h"

#if defined(__GNUC__) && !defined(__clang__) && defined(__riscv)
/* GCC 12 would load all values of the inner loop first and spill them: a third more instructions.
 */
#pragma GCC optimize("no-schedule-insns")
#endif

static void fill(int16_t *to, int32_t n, int16_t value)
{
    for (int32_t i = 0; i < n; i++)
        to[i] = value;
}

static void widen(int16_t *to, const int8_t *from, int32_t n)
{
#if EIN_NN_DSP
    for (; n >= 8; n -= 8, to += 8, from += 8) {
        ein_nn_dsp_widen4(to, from);
        ein_nn_dsp_widen4(to + 4, from + 4);
    }
#elif EIN_NN_AVX2
    for (; n >= 16; n -= 16, to += 16, from += 16)
        _mm256_storeu_si256((__m256i *)to,
                            _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)from)));
#endif
    for (; n >= 4; n -= 4, to += 4, from += 4) {
        to[0] = from[0];
        to[1] = from[1];
        to[2] = from[2];
        to[3] = from[3];
    }
    for (; n > 0; n--)
        *to++ = *from++;
}

/* What fills up a depth is multiplied with zeros: any value does.
 *
 * Rows first * stride - pad_left and following, as many as `count` positions see, one after the
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
    fill(columns + rows * channels, l->depth - l->kernel * channels, l->in_zero);
}

/* For each position the rows that its taps see. */
static void gather_columns(const ein_nn_conv_t *l, const int8_t *in, int32_t first, int32_t count,
                           int16_t *columns)
{
    const int32_t channels = l->in_channels;

    for (int32_t n = 0; n < count; n++) {
        int16_t *to = columns + n * l->step;

        if (l->dilation == 1) {
            gather_rows(l, in, first + n, 1, to);
            continue;
        }
        for (int32_t t = 0; t < l->kernel; t++, to += channels) {
            const int32_t row = (first + n) * l->stride + t * l->dilation - l->pad_left;
            if (row >= 0 && row < l->in_length)
                widen(to, in + row * channels, channels);
            else
                fill(to, channels, l->in_zero);
        }
        fill(to, l->depth - l->kernel * channels, l->in_zero);
    }
}

static void gather(const ein_nn_conv_t *layer, const int8_t *in, int32_t first, int32_t count,
                   int16_t *scratch)
{
    if (layer->flags & EIN_NN_CONV_ROWS)
        gather_rows(layer, in, first, count, scratch);
    else
        gather_columns(layer, in, first, count, scratch);
}

#if defined(EIN_NN_SMALL) || EIN_NN_RV32 /* there, few channels come here: not worth the code */
#define EIN_NN_BY_FOUR 0
#else
#define EIN_NN_BY_FOUR 1
#endif

/* sums[2 * position + channel] += x * w over `depth` input values, for one position... */
static inline void mac_2x1(const int8_t *w, const int16_t *x, int32_t depth, int32_t *sums)
{
    int32_t a0 = sums[0], a1 = sums[1];

    for (const int8_t *const end = w + 2 * depth; w != end; w += 8, x += 4) {
        a0 += x[0] * w[0] + x[1] * w[2] + x[2] * w[1] + x[3] * w[3];
        a1 += x[0] * w[4] + x[1] * w[6] + x[2] * w[5] + x[3] * w[7];
    }
    sums[0] = a0, sums[1] = a1;
}

/* Input value k of four positions times its weights, which lie at place `at`. */
#define MAC(k, at)                                                                                 \
    do {                                                                                           \
        const int32_t w0 = w[at], w1 = w[4 + (at)];                                                \
        a0 += x[k] * w0, a1 += x[k] * w1;                                                          \
        b0 += y[k] * w0, b1 += y[k] * w1;                                                          \
        c0 += z[k] * w0, c1 += z[k] * w1;                                                          \
        d0 += u[k] * w0, d1 += u[k] * w1;                                                          \
    } while (0)

/* ... and for four, `step` apart. */
static inline void mac_2x4(const int8_t *w, const int16_t *x, int32_t step, int32_t depth,
                           int32_t *sums)
{
    const int16_t *y = x + step, *z = y + step, *u = z + step;
    int32_t a0 = sums[0], a1 = sums[1], b0 = a0, b1 = a1, c0 = a0, c1 = a1, d0 = a0, d1 = a1;

    const int8_t *const end = w + 2 * depth;

    for (; w != end; w += 16, x += 8, y += 8, z += 8, u += 8) {
        MAC(0, 0);
        MAC(1, 2);
        MAC(2, 1);
        MAC(3, 3);
        MAC(4, 8);
        MAC(5, 10);
        MAC(6, 9);
        MAC(7, 11);
    }
    sums[0] = a0, sums[1] = a1, sums[2] = b0, sums[3] = b1;
    sums[4] = c0, sums[5] = c1, sums[6] = d0, sums[7] = d1;
}
#undef MAC

#if EIN_NN_RV32
/* Four channels, two pairs of which lie one after the other, for one position. */
static inline void mac_4x1(const int8_t *w, const int16_t *x, int32_t depth, int32_t *sums)
{
    const int8_t *v = w + 2 * depth, *const end = v;
    int32_t a0 = sums[0], a1 = sums[1], a2 = sums[2], a3 = sums[3];

#define MAC(k, at)                                                                                 \
    do {                                                                                           \
        const int32_t value = x[k];                                                                \
        a0 += value * w[at], a1 += value * w[4 + (at)];                                            \
        a2 += value * v[at], a3 += value * v[4 + (at)];                                            \
    } while (0)

    for (; w != end; w += 16, v += 16, x += 8) {
        MAC(0, 0);
        MAC(1, 2);
        MAC(2, 1);
        MAC(3, 3);
        MAC(4, 8);
        MAC(5, 10);
        MAC(6, 9);
        MAC(7, 11);
    }
#undef MAC
    sums[0] = a0, sums[1] = a1, sums[2] = a2, sums[3] = a3;
}
#endif

/* ein_nn_conv_any takes every step as TFLite Micro has it. */
static inline int8_t finish(const ein_nn_conv_t *l, const ein_nn_scale_t *scale,
                            const ein_nn_rest_t *rest, int32_t small, int32_t sum)
{
    if (small)
        return ein_nn_finish(rest, sum);
    sum = ein_nn_rescale(sum, scale->multiplier, scale->left, scale->right);
    return ein_nn_saturate(sum + l->out_zero);
}

/* A pair of channels, from `c` on. `small` is a constant wherever this is called: layers that are
 * not take less code, not less time. */
static inline void convolve_pair(const ein_nn_conv_t *l, int32_t c, const int16_t *x, int32_t count,
                                 int8_t *to, int32_t small)
{
    const int32_t channels = l->out_channels, depth = l->depth, step = l->step;
    const int8_t *const weights = (const int8_t *)l->weights + c * depth;
    const ein_nn_scale_t *scale = l->scales + c;
    const ein_nn_rest_t unused = {0, 0, 0};
    const ein_nn_rest_t first = small ? ein_nn_rest(&scale[0], l->out_zero) : unused;
    const ein_nn_rest_t second = small ? ein_nn_rest(&scale[1], l->out_zero) : unused;
    const int32_t both = c + 1 < channels;
    const int32_t by_four = EIN_NN_BY_FOUR;

    for (int32_t n = count; n > 0;) {
        const int32_t positions = small && by_four && n >= 4 ? 4 : 1;
        int32_t sums[8] = {scale[0].bias, scale[1].bias};

        if (positions == 4)
            mac_2x4(weights, x, step, depth, sums);
        else
            mac_2x1(weights, x, depth, sums);
        for (int32_t i = 0; i < positions; i++, to += channels) {
            to[0] = finish(l, &scale[0], &first, small, sums[2 * i]);
            if (both)
                to[1] = finish(l, &scale[1], &second, small, sums[2 * i + 1]);
        }
        n -= positions;
        x += positions * step;
    }
}

#if EIN_NN_RV32
/* Four channels, from `c` on: what is left of a convolution, and dense layers. */
static void convolve_quad(const ein_nn_conv_t *l, int32_t c, const int16_t *x, int32_t count,
                          int8_t *to)
{
    const int8_t *const weights = (const int8_t *)l->weights + c * l->depth;
    const ein_nn_scale_t *scale = l->scales + c;
    ein_nn_rest_t rest[4];

    for (int32_t i = 0; i < 4; i++)
        rest[i] = ein_nn_rest(&scale[i], l->out_zero);
    for (; count > 0; count--, x += l->step, to += l->out_channels) {
        int32_t sums[4] = {scale[0].bias, scale[1].bias, scale[2].bias, scale[3].bias};

        mac_4x1(weights, x, l->depth, sums);
        for (int32_t i = 0; i < 4; i++)
            to[i] = ein_nn_finish(&rest[i], sums[i]);
    }
}
#endif

static inline void convolve(const ein_nn_conv_t *l, const int16_t *columns, int32_t count,
                            int8_t *out, int32_t small)
{
    int32_t c = 0;

#if EIN_NN_RV32
    for (; small && c + 4 <= l->out_channels; c += 4)
        convolve_quad(l, c, columns, count, out + c);
#endif
    for (; c < l->out_channels; c += 2)
        convolve_pair(l, c, columns, count, out + c, small);
    ein_nn_activate(out, count * l->out_channels, l->act_min, l->act_max);
}

void ein_nn_conv(const ein_nn_conv_t *layer, const int8_t *in, int8_t *out, int16_t *scratch)
{
    ein_nn_conv_rows(layer, in, out, scratch, 0, layer->out_length);
}

void ein_nn_conv_rows(const ein_nn_conv_t *layer, const int8_t *in, int8_t *out, int16_t *scratch,
                      int32_t first, int32_t rows)
{
    const int32_t end = first + rows;

    for (; first < end; first += layer->chunk) {
        const int32_t left = end - first, count = left < layer->chunk ? left : layer->chunk;
        int8_t *const to = out + first * layer->out_channels;

#if EIN_NN_MVE
        ein_nn_conv_chunk_mve(layer, in, first, count, (int8_t *)scratch, to);
#else
        gather(layer, in, first, count, scratch);
#if EIN_NN_DSP
        ein_nn_conv_chunk_dsp(layer, scratch, count, to);
#elif EIN_NN_AVX2
        ein_nn_conv_chunk_avx2(layer, scratch, count, to);
#else
        convolve(layer, scratch, count, to, 1);
#endif
#endif
    }
}

void ein_nn_conv_any(const ein_nn_conv_t *layer, const int8_t *in, int8_t *out, int16_t *scratch)
{
    for (int32_t first = 0; first < layer->out_length; first += layer->chunk) {
        const int32_t left = layer->out_length - first;
        const int32_t count = left < layer->chunk ? left : layer->chunk;

        gather(layer, in, first, count, scratch);
        convolve(layer, scratch, count, out + first * layer->out_channels, 0);
    }
}
