/* 1-D convolution, and the dense layer, which is a convolution over a length of 1.
 *
 * in int8 [in_length][in_channels], out int8 [out_length][out_channels], dense in memory.
 * out[p][c] = clamp(out_zero + rescale(bias[c] + sum over t, i of
 *                                      in[p * stride + t * dilation - pad_left][i] * w[c][t][i]))
 *
 * Accumulator: int32, exact; the generator proves |bias| + 128 * sum |w| < 2^31 for every channel.
 * The input's zero point is folded into the bias; positions outside the input read as the zero
 * point.
 *
 * Work: `chunk` positions at a time are widened to int16 in `scratch` (so `out` may overlap rows of
 * `in` that are no longer needed: codegen/engine/planner.py knows which), then pairs of output
 * channels are computed for several positions at a time. The path taken does not depend on the
 * data, but for the clamps of targets without SSAT.
 *
 * Weights: per pair of output channels [depth / 4][2 channels][4 values]; depth = kernel *
 * in_channels rounded up to a multiple of 8 with zeros; an odd last channel is paired with zeros.
 * Four values lie in the order 0, 2, 1, 3, so that SXTB16, and SXTB16 with a rotation by 8, give
 * the pairs (0, 1) and (2, 3) that SMLAD wants.
 *
 * Wide weights, in builds with DSP instructions only, are halfwords, already doubled (which saves
 * the doubling of every sum), the four values in their own order. They need no room in the scratch.
 *
 * With Helium inputs are not widened, and wide weights are bytes, the four values in their own
 * order.
 *
 * Flash: depth + 12 bytes per output channel, 2 * depth + 12 when wide. RAM: the scratch.
 */
#ifndef EIN_NN_CONV_H
#define EIN_NN_CONV_H

#include "ein_nn_fixed.h"

/* flags */
#define EIN_NN_CONV_ROWS                                                                           \
    1 /* scratch holds rows as they follow each other; else each position's values apart */

/* Wide weights as the generator writes them: the same text gives either layout. */
#if EIN_NN_MVE
#define EIN_NN_CONV_WIDE 2
#define EIN_NN_WIDE4(a, b, c, d) (a), (b), (c), (d)
typedef int8_t ein_nn_wide_t;
#elif EIN_NN_DSP
#define EIN_NN_CONV_WIDE 2
#define EIN_NN_WIDE4(a, b, c, d) 2 * (a), 2 * (b), 2 * (c), 2 * (d)
typedef int16_t ein_nn_wide_t;
#else
#define EIN_NN_CONV_WIDE 0
#define EIN_NN_WIDE4(a, b, c, d) (a), (c), (b), (d)
typedef int8_t ein_nn_wide_t;
#endif

/* What only ein_nn_conv_lanes.h reads, as the generator writes it: for speed, and for size. */
#if EIN_NN_LANES
#define EIN_NN_CONV_MARKS(words) .marks = (words),
#else
#define EIN_NN_CONV_MARKS(words)
#endif
#if EIN_NN_RV32
#define EIN_NN_CONV_MARKS_SMALL(words) .marks = (words),
#else
#define EIN_NN_CONV_MARKS_SMALL(words)
#endif

typedef struct {
    const void *weights;          /* 4-byte aligned */
    const ein_nn_scale_t *scales; /* one per output channel, an even number of them */
#if EIN_NN_LANES
    const uint32_t *marks; /* per pair of channels a word for 31 blocks: see ein_nn_lanes.h */
#endif
    int16_t in_length, in_channels, out_length, out_channels;
    int16_t kernel, stride, dilation, pad_left;
    int16_t depth; /* multiple of 8 */
    int16_t step;  /* scratch elements from one position to the next; even */
    int16_t chunk; /* positions per pass, > 0 */
    int8_t in_zero, out_zero, act_min, act_max;
    uint8_t flags;
} ein_nn_conv_t;

/* Every channel of the layer: |accumulator| < 2^30 and right 1..22.
 *
 * scratch: 4-byte aligned, (chunk - 1) * step + depth elements: positions; then, unless they are
 * wide or there is one position only, 2 * depth elements for a pair of channels' weights. */
void ein_nn_conv(const ein_nn_conv_t *layer, const int8_t *in, int8_t *out, int16_t *scratch);

/* The same for `rows` positions from `first` on; in and out are still those of all. Other positions
 * are neither read, but for what the windows see, nor written. */
void ein_nn_conv_rows(const ein_nn_conv_t *layer, const int8_t *in, int8_t *out, int16_t *scratch,
                      int32_t first, int32_t rows);

/* A layer that is not as ein_nn_conv wants it; its weights are not wide. */
void ein_nn_conv_any(const ein_nn_conv_t *layer, const int8_t *in, int8_t *out, int16_t *scratch);

/* `count` positions from their widened inputs. */
void ein_nn_conv_chunk_dsp(const ein_nn_conv_t *layer, int16_t *columns, int32_t count,
                           int8_t *out);
void ein_nn_conv_chunk_avx2(const ein_nn_conv_t *layer, const int16_t *columns, int32_t count,
                            int8_t *out);
/* `count` positions from `first` on; `scratch` as above, of bytes. */
void ein_nn_conv_chunk_mve(const ein_nn_conv_t *layer, const int8_t *in, int32_t first,
                           int32_t count, int8_t *scratch, int8_t *out);

#endif
