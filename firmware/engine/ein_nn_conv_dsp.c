/* The convolution's inner loops with Cortex-M4's DSP instructions; see ein_nn_conv.h for the
 * layouts.
 *
 * A pair of channels' weights are widened to halfwords once per chunk. Then two channels by two
 * positions are computed at a time: for four input values one load of four words of weights, two
 * double loads of inputs and 8 SMLAD do 16 multiply-adds. That needs all 14 registers that there
 * are, which no compiler arranges by itself: hence the assembly.
 */
#include "ein_nn_conv_finish.h"
#include "ein_nn_dsp.h"

#if EIN_NN_DSP

/* What mac_2x2 reads: its assembly counts on these offsets. */
typedef struct {
    ein_nn_rest_t first, second; /* 0, 12 */
    int32_t channels;            /* 24: bytes from one output position to the next */
    int32_t back;    /* 28: bytes from the end of a position's inputs to the next but one's */
    int32_t bias[2]; /* 32 */
    const uint32_t *weights, *end; /* 40, 44: widened */
    int32_t step;                  /* 48: bytes from one position's inputs to the next one's */
} pair_t;

/* clang-format off */

/* Four weights of each channel (r8, r9 and r10, r11) times four inputs, into two sums. */
#define MAC4(inputs, sum0, sum1)                                                                   \
    "ldrd r12, lr, [" inputs "], #8\n"                                                             \
    "smlad " sum0 ", r12, r8, " sum0 "\n"                                                          \
    "smlad " sum1 ", r12, r10, " sum1 "\n"                                                         \
    "smlad " sum0 ", lr, r9, " sum0 "\n"                                                           \
    "smlad " sum1 ", lr, r11, " sum1 "\n"

/* ein_nn_finish */
#define FINISH(sum, multiplier, rounding, right)                                                   \
    "lsl " sum ", " sum ", #1\n"                                                                   \
    "smmulr " sum ", " sum ", " multiplier "\n"                                                    \
    "add " sum ", " sum ", " sum ", asr #31\n"                                                     \
    "add " sum ", " sum ", " rounding "\n"                                                         \
    "asr " sum ", " sum ", " right "\n"                                                            \
    "ssat " sum ", #8, " sum "\n"

/* Both channels of 2 * twos positions (twos > 0). r0, r1: inputs of two positions; r2, r3: weights
   and their end; r4..r7: sums; on the stack: pair, twos, out. The depth is a multiple of 8. Stack:
   48 bytes. */
__attribute__((naked, noinline)) static void mac_2x2(const pair_t *pair, const int16_t *inputs,
                                                     int32_t twos, int8_t *out)
{
    (void)pair, (void)inputs, (void)twos, (void)out;
    __asm__(
        "push {r0, r2-r11, lr}\n"
        "mov r12, r0\n"
        "mov r0, r1\n"
        "ldr r1, [r12, #48]\n"
        "add r1, r1, r0\n"
        "1:\n" /* two positions */
        "ldrd r4, r5, [r12, #32]\n"
        "ldrd r2, r3, [r12, #40]\n"
        "mov r6, r4\n"
        "mov r7, r5\n"
        "2:\n" /* eight input values */
        "ldmia r2!, {r8-r11}\n"
        MAC4("r0", "r4", "r5")
        MAC4("r1", "r6", "r7")
        "ldmia r2!, {r8-r11}\n"
        MAC4("r0", "r4", "r5")
        MAC4("r1", "r6", "r7")
        "cmp r2, r3\n"
        "bne 2b\n"
        "ldr r12, [sp]\n"
        "ldmia r12, {r2, r3, r8-r11, lr}\n" /* first, second, channels */
        "ldr r12, [r12, #28]\n"
        "add r0, r0, r12\n"
        "add r1, r1, r12\n"
        FINISH("r4", "r2", "r3", "r8")
        FINISH("r5", "r9", "r10", "r11")
        FINISH("r6", "r2", "r3", "r8")
        FINISH("r7", "r9", "r10", "r11")
        "ldr r12, [sp, #8]\n"
        "strb r4, [r12]\n"
        "strb r5, [r12, #1]\n"
        "add r12, r12, lr\n"
        "strb r6, [r12]\n"
        "strb r7, [r12, #1]\n"
        "add r12, r12, lr\n"
        "str r12, [sp, #8]\n"
        "ldr r4, [sp, #4]\n"
        "subs r4, r4, #1\n"
        "str r4, [sp, #4]\n"
        "ldr r12, [sp]\n"
        "bne 1b\n"
        "pop {r0, r2-r11, pc}\n");
}

/* clang-format on */

/* sums[0], sums[1] += inputs * weights of the first, the second channel, for a position of its own.
 */
static void mac_2x1(const int8_t *weights, const int16_t *inputs, int32_t depth, int32_t *sums)
{
    const uint32_t *w = (const uint32_t *)(const void *)weights;
    const uint32_t *x = (const uint32_t *)(const void *)inputs;
    const uint32_t *const end = w + depth / 2;
    int32_t first = sums[0], second = sums[1];

    do {
        const uint32_t low = x[0], high = x[1], w0 = w[0], w1 = w[1];

        first = ein_nn_dsp_mac2(low, ein_nn_dsp_even(w0), first);
        second = ein_nn_dsp_mac2(low, ein_nn_dsp_even(w1), second);
        first = ein_nn_dsp_mac2(high, ein_nn_dsp_odd(w0), first);
        second = ein_nn_dsp_mac2(high, ein_nn_dsp_odd(w1), second);
        w += 2, x += 2;
    } while (w != end);
    sums[0] = first, sums[1] = second;
}

/* A pair's weights from the layer's order to four halfwords of the first channel, four of the
 * second, and so on. */
static void widen_weights(uint32_t *to, const int8_t *weights, int32_t depth)
{
    const uint32_t *from = (const uint32_t *)(const void *)weights;

    for (const uint32_t *const end = from + depth / 2; from != end; from += 2, to += 4) {
        const uint32_t first = from[0], second = from[1];

        to[0] = ein_nn_dsp_even(first), to[1] = ein_nn_dsp_odd(first);
        to[2] = ein_nn_dsp_even(second), to[3] = ein_nn_dsp_odd(second);
    }
}

void ein_nn_conv_chunk_dsp(const ein_nn_conv_t *layer, int16_t *columns, int32_t count, int8_t *out)
{
    const int32_t channels = layer->out_channels, depth = layer->depth, step = layer->step;
    const int8_t *weights = layer->weights;
    uint32_t *const widened = (uint32_t *)(void *)(columns + (layer->chunk - 1) * step + depth);

    for (int32_t c = 0; c < channels; c += 2, weights += 2 * depth) {
        const ein_nn_scale_t *scale = &layer->scales[c];
        const ein_nn_rest_t first = ein_nn_rest(&scale[0], layer->out_zero);
        const ein_nn_rest_t second = ein_nn_rest(&scale[1], layer->out_zero);
        const int32_t both = c + 1 < channels;
        const int32_t twos =
            both ? count / 2 : 0; /* an odd last channel has no place to write a second one */

        if (twos > 0) {
            const pair_t pair = {first,
                                 second,
                                 channels,
                                 4 * step - 2 * depth,
                                 {scale[0].bias, scale[1].bias},
                                 widened,
                                 widened + depth,
                                 2 * step};

            widen_weights(widened, weights, depth);
            mac_2x2(&pair, columns, twos, out + c);
        }
        for (int32_t n = 2 * twos; n < count; n++) {
            int32_t sums[2] = {scale[0].bias, scale[1].bias};
            int8_t *to = out + n * channels + c;

            mac_2x1(weights, columns + n * step, depth, sums);
            to[0] = ein_nn_finish(&first, sums[0]);
            if (both)
                to[1] = ein_nn_finish(&second, sums[1]);
        }
    }
    ein_nn_activate(out, count * channels, layer->act_min, layer->act_max);
}

#endif
