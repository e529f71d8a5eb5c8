/* The convolution's inner loops with Cortex-M4's DSP instructions; see ein_nn_conv.h for the
 * layouts.
 *
 * Two channels by two positions at a time: four input values take a double load and four widenings
 * of weights, two double loads of inputs and 8 SMLAD for 16 multiply-adds. That needs all 14
 * registers that there are, which no compiler finds by itself, hence the assembly.
 */
#include "ein_nn_conv_finish.h"

#if EIN_NN_DSP

/* Weights of four inputs of two channels: e0, e1 get those of inputs 0 and 1, w0, w1 of 2 and 3. */
#define WEIGHTS4                                                                                   \
    "ldrd %[w0], %[w1], [%[w]], #8\n"                                                              \
    "sxtb16 %[e0], %[w0]\n"                                                                        \
    "sxtb16 %[w0], %[w0], ror #8\n"                                                                \
    "sxtb16 %[e1], %[w1]\n"                                                                        \
    "sxtb16 %[w1], %[w1], ror #8\n"

/* Four inputs of one position times the weights of both channels. */
#define MAC4(position, sum0, sum1)                                                                 \
    "ldrd %[low], %[high], [%[" position "]], #8\n"                                                \
    "smlad %[" sum0 "], %[low], %[e0], %[" sum0 "]\n"                                              \
    "smlad %[" sum1 "], %[low], %[e1], %[" sum1 "]\n"                                              \
    "smlad %[" sum0 "], %[high], %[w0], %[" sum0 "]\n"                                             \
    "smlad %[" sum1 "], %[high], %[w1], %[" sum1 "]\n"

/* sums[0..3] += x * w0, x * w1, y * w0, y * w1 over `depth` (> 0) input values. */
static inline void mac_2x2(const int8_t *w, const int16_t *x, const int16_t *y, int32_t depth,
                           int32_t *sums)
{
    int32_t x0 = sums[0], x1 = sums[1], y0 = sums[2], y1 = sums[3];
    const int8_t *const end = w + 2 * depth;
    uint32_t w0, w1, e0, e1, low, high;

    if (depth & 4)
        __asm__(WEIGHTS4 MAC4("x", "x0", "x1") MAC4("y", "y0", "y1")
                : [x0] "+r"(x0), [x1] "+r"(x1), [y0] "+r"(y0), [y1] "+r"(y1), [w] "+r"(w),
                  [x] "+r"(x), [y] "+r"(y), [w0] "=&r"(w0), [w1] "=&r"(w1), [e0] "=&r"(e0),
                  [e1] "=&r"(e1), [low] "=&r"(low), [high] "=&r"(high)
                :
                : "memory");
    if (w != end)
        __asm__("1:\n" WEIGHTS4 MAC4("x", "x0", "x1")
                    MAC4("y", "y0", "y1") /* twice: half the cost of looping */
                WEIGHTS4 MAC4("x", "x0", "x1") MAC4("y", "y0", "y1") "cmp %[w], %[end]\n"
                                                                     "bne 1b\n"
                : [x0] "+r"(x0), [x1] "+r"(x1), [y0] "+r"(y0), [y1] "+r"(y1), [w] "+r"(w),
                  [x] "+r"(x), [y] "+r"(y), [w0] "=&r"(w0), [w1] "=&r"(w1), [e0] "=&r"(e0),
                  [e1] "=&r"(e1), [low] "=&r"(low), [high] "=&r"(high)
                : [end] "r"(end)
                : "memory", "cc");
    sums[0] = x0, sums[1] = x1, sums[2] = y0, sums[3] = y1;
}

/* The same for one position. */
static inline void mac_2x1(const int8_t *w, const int16_t *x, int32_t depth, int32_t *sums)
{
    int32_t x0 = sums[0], x1 = sums[1];
    const int8_t *const end = w + 2 * depth;
    uint32_t w0, w1, e0, e1, low, high;

    __asm__("1:\n" WEIGHTS4 MAC4("x", "x0", "x1") "cmp %[w], %[end]\n"
                                                  "bne 1b\n"
            : [x0] "+r"(x0), [x1] "+r"(x1), [w] "+r"(w), [x] "+r"(x), [w0] "=&r"(w0),
              [w1] "=&r"(w1), [e0] "=&r"(e0), [e1] "=&r"(e1), [low] "=&r"(low), [high] "=&r"(high)
            : [end] "r"(end)
            : "memory", "cc");
    sums[0] = x0, sums[1] = x1;
}

void ein_nn_conv_chunk_dsp(const ein_nn_conv_t *layer, const int16_t *columns, int32_t count,
                           int8_t *out)
{
    const int32_t channels = layer->out_channels, depth = layer->depth, step = layer->step;
    const int8_t *weights = layer->weights;

    for (int32_t c = 0; c < channels; c += 2, weights += 2 * depth) {
        const ein_nn_channel_t first = ein_nn_channel(&layer->scales[c], layer->out_zero);
        const ein_nn_channel_t second = ein_nn_channel(&layer->scales[c + 1], layer->out_zero);
        const int32_t both = c + 1 < channels;
        const int16_t *x = columns;
        int8_t *to = out + c;
        int32_t n = count;

        for (; n >= 2; n -= 2, x += 2 * step, to += 2 * channels) {
            int32_t sums[4] = {first.bias, second.bias, first.bias, second.bias};

            mac_2x2(weights, x, x + step, depth, sums);
            to[0] = ein_nn_finish(&first, sums[0]);
            to[channels] = ein_nn_finish(&first, sums[2]);
            if (both) {
                to[1] = ein_nn_finish(&second, sums[1]);
                to[channels + 1] = ein_nn_finish(&second, sums[3]);
            }
        }
        if (n) {
            int32_t sums[2] = {first.bias, second.bias};

            mac_2x1(weights, x, depth, sums);
            to[0] = ein_nn_finish(&first, sums[0]);
            if (both)
                to[1] = ein_nn_finish(&second, sums[1]);
        }
    }
    ein_nn_activate(out, count * channels, layer->act_min, layer->act_max);
}

#endif
