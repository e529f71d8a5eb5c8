/* The convolution's inner loops with Cortex-M4's DSP instructions; see ein_nn_conv.h for the
 * layouts.
 *
 * A pair of channels' weights are widened to halfwords once per chunk, unless the generator wrote
 * them like that. They are doubled, because the finishing wants twice the sum. Then two channels by
 * two positions are computed at a time: for four input values one load of four words of weights,
 * two double loads of inputs and 8 SMLAD do 16 multiply-adds. That needs all 14 registers that
 * there are, which no compiler arranges by itself: hence the assembly.
 */
#include "ein_nn_conv_finish.h"
#include "ein_nn_dsp.h"

#if EIN_NN_DSP

/* What mac_2x2_by_8 reads: their assembly counts on this order, and is given the address of `rest`.
 */
typedef struct {
    const uint32_t *weights, *end; /* widened, doubled */
    int32_t bias[4];               /* of two positions, doubled */
    ein_nn_rest_t rest[2];         /* 0, 12 */
    int32_t channels;              /* 24: bytes from one output position to the next */
    int32_t back; /* 28: bytes from the end of a position's inputs to the next but one's */
    int32_t step; /* 32: bytes from one position's inputs to the next one's */
} pair_t;

/* clang-format off */

/* Four weights of each channel (r8, r9 and r10, r11) times four inputs, into two sums. */
#define MAC4(inputs, sum0, sum1)                                                                   \
    "ldrd r12, lr, [" inputs "], #8\n"                                                             \
    "smlad " sum0 ", r12, r8, " sum0 "\n"                                                          \
    "smlad " sum1 ", r12, r10, " sum1 "\n"                                                         \
    "smlad " sum0 ", lr, r9, " sum0 "\n"                                                           \
    "smlad " sum1 ", lr, r11, " sum1 "\n"

/* ein_nn_finish_doubled, by way of lr */
#define FINISH(sum, multiplier, rounding, right)                                                   \
    "add lr, " rounding ", " sum ", asr #31\n"                                                     \
    "smmlar " sum ", " sum ", " multiplier ", lr\n"                                                \
    "asr " sum ", " sum ", " right "\n"                                                            \
    "ssat " sum ", #8, " sum "\n"

/* Eight input values of two positions. */
#define MAC8                                                                                       \
    "ldmia r2!, {r8-r11}\n" MAC4("r0", "r4", "r5") MAC4("r1", "r6", "r7")                         \
    "ldmia r2!, {r8-r11}\n" MAC4("r0", "r4", "r5") MAC4("r1", "r6", "r7")

/* Both channels of the positions from `out` to `end`, an even number of them, at least two. r0, r1:
 * inputs of two positions; r2, r3: weights and their end; r4..r7: sums; on the stack: out, end, rest.
 * `steps` is what the inner loop does before it looks whether it is done. Stack: 48 bytes.
 */
#define MAC_2X2(name, steps)                                                                       \
    __attribute__((naked, noinline)) static void name(                                             \
        int8_t *out, const int8_t *end, const ein_nn_rest_t *rest, const int16_t *inputs)          \
    {                                                                                              \
        (void)out, (void)end, (void)rest, (void)inputs;                                            \
        __asm__("push {r0-r2, r4-r11, lr}\n"                                                       \
                "mov r12, r2\n"                                                                    \
                "mov r0, r3\n"                                                                     \
                "ldr r1, [r12, #32]\n"                                                             \
                "add r1, r1, r0\n"                                                                 \
                "1:\n" /* two positions */                                                         \
                "ldmdb r12, {r2-r7}\n"                                                             \
                "2:\n" steps                                                                       \
                "cmp r2, r3\n"                                                                     \
                "bne 2b\n"                                                                         \
                "ldr r12, [sp, #8]\n"                                                              \
                "ldmia r12, {r2, r3, r8-r12, lr}\n" /* rest of both, channels, back */             \
                "add r0, r0, lr\n"                                                                 \
                "add r1, r1, lr\n"                                                                 \
                FINISH("r4", "r2", "r3", "r8")                                                     \
                FINISH("r5", "r9", "r10", "r11")                                                   \
                FINISH("r6", "r2", "r3", "r8")                                                     \
                FINISH("r7", "r9", "r10", "r11")                                                   \
                "ldr r2, [sp]\n"                                                                   \
                "strb r4, [r2]\n"                                                                  \
                "strb r5, [r2, #1]\n"                                                              \
                "add r2, r2, r12\n"                                                                \
                "strb r6, [r2]\n"                                                                  \
                "strb r7, [r2, #1]\n"                                                              \
                "add r2, r2, r12\n"                                                                \
                "str r2, [sp]\n"                                                                   \
                "ldrd r3, r12, [sp, #4]\n"                                                         \
                "cmp r2, r3\n"                                                                     \
                "bne 1b\n"                                                                         \
                "pop {r0-r2, r4-r11, pc}\n");                                                      \
    }

MAC_2X2(mac_2x2_by_8, MAC8)
MAC_2X2(mac_2x2_by_24, MAC8 MAC8 MAC8)

/* clang-format on */

/* clang-format off */

/* Two words of inputs times four weights of each channel. */
#define MAC4_NARROW(low, high, first, second)                                                      \
    "sxtb16 r12, " first "\n"                                                                      \
    "smlad %[a], " low ", r12, %[a]\n"                                                             \
    "sxtb16 r12, " first ", ror #8\n"                                                              \
    "smlad %[a], " high ", r12, %[a]\n"                                                            \
    "sxtb16 r12, " second "\n"                                                                     \
    "smlad %[b], " low ", r12, %[b]\n"                                                             \
    "sxtb16 r12, " second ", ror #8\n"                                                             \
    "smlad %[b], " high ", r12, %[b]\n"

/* Eight of both channels. */
#define MAC8_NARROW                                                                                \
    "ldmia %[w]!, {r4, r5, r8, r9}\n"                                                              \
    "ldmia %[x]!, {r6, r10, r11, lr}\n"                                                            \
    MAC4_NARROW("r6", "r10", "r4", "r5")                                                           \
    MAC4_NARROW("r11", "lr", "r8", "r9")

#if EIN_NN_DSP_DENSE
#define MAC_TURN MAC8_NARROW MAC8_NARROW
#else
#define MAC_TURN MAC8_NARROW
#endif

/* sums[0], sums[1] += inputs * weights of the first, the second channel, for a position of its own.
 */
__attribute__((noinline)) static void mac_2x1(const int8_t *weights, const int16_t *inputs, int32_t depth, int32_t *sums)
{
    int32_t first = sums[0], second = sums[1];
    const int8_t *const end = weights + 2 * depth;

#if EIN_NN_DSP_DENSE
    if (depth % 16 != 0)
        __asm__(MAC8_NARROW
                : [w] "+l"(weights), [x] "+l"(inputs), [a] "+l"(first), [b] "+l"(second)
                :
                : "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
    if (weights != end)
#endif
        __asm__("1:\n"
                MAC_TURN
                "cmp %[w], %[end]\n"
                "bne 1b\n"
                : [w] "+l"(weights), [x] "+l"(inputs), [a] "+l"(first), [b] "+l"(second)
                : [end] "r"(end)
                : "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
    sums[0] = first, sums[1] = second;
}

/* clang-format on */

/* The same for wide weights; the sums are doubled. */
static void mac_2x1_wide(const uint32_t *weights, const int16_t *inputs, int32_t depth,
                         int32_t *sums)
{
    const uint32_t *x = (const uint32_t *)(const void *)inputs;
    int32_t first = sums[0], second = sums[1];

    for (const uint32_t *const end = weights + depth; weights != end; weights += 4, x += 2) {
        first = ein_nn_dsp_mac2(x[0], weights[0], first);
        second = ein_nn_dsp_mac2(x[0], weights[2], second);
        first = ein_nn_dsp_mac2(x[1], weights[1], first);
        second = ein_nn_dsp_mac2(x[1], weights[3], second);
    }
    sums[0] = first, sums[1] = second;
}

/* A pair's weights as if they were wide: four doubled halfwords of the first channel, four of the
 * second, and so on. */
static void widen_weights(uint32_t *to, const int8_t *weights, int32_t depth)
{
    const uint32_t *from = (const uint32_t *)(const void *)weights;

    for (const uint32_t *const end = from + depth / 2; from != end; from += 2, to += 4) {
        const uint32_t first = from[0], second = from[1];

        to[0] = ein_nn_dsp_twice(ein_nn_dsp_even(first));
        to[1] = ein_nn_dsp_twice(ein_nn_dsp_odd(first));
        to[2] = ein_nn_dsp_twice(ein_nn_dsp_even(second));
        to[3] = ein_nn_dsp_twice(ein_nn_dsp_odd(second));
    }
}

#if EIN_NN_DSP_DENSE
/* A dense layer: its only position, by weights that are not wide. What is set up for many positions
 * in ein_nn_conv_chunk_dsp would cost a tenth of it. */
static void one_position(const ein_nn_conv_t *layer, const int16_t *inputs, int8_t *out)
{
    const int32_t channels = layer->out_channels, depth = layer->depth;
    const ein_nn_scale_t *scale = layer->scales;
    const int8_t *weights = layer->weights;

    for (int32_t c = 0; c < channels; c += 2, scale += 2, weights += 2 * depth) {
        int32_t sums[2] = {scale[0].bias, scale[1].bias};
        ein_nn_rest_t rest = ein_nn_rest(&scale[0], layer->out_zero);

        mac_2x1(weights, inputs, depth, sums);
        out[c] = ein_nn_finish(&rest, sums[0]);
        if (c + 1 < channels) {
            rest = ein_nn_rest(&scale[1], layer->out_zero);
            out[c + 1] = ein_nn_finish(&rest, sums[1]);
        }
    }
    ein_nn_activate(out, channels, layer->act_min, layer->act_max);
}
#endif

void ein_nn_conv_chunk_dsp(const ein_nn_conv_t *layer, int16_t *columns, int32_t count, int8_t *out)
{
    const int32_t channels = layer->out_channels, depth = layer->depth, step = layer->step;
    const int32_t wide = layer->flags & EIN_NN_CONV_WIDE;
    const int8_t *weights = layer->weights;
    uint32_t *const room = (uint32_t *)(void *)(columns + (layer->chunk - 1) * step + depth);

#if EIN_NN_DSP_DENSE
    if (!wide && count == 1) {
        one_position(layer, columns, out);
        return;
    }
#endif
    for (int32_t c = 0; c < channels; c += 2, weights += wide ? 4 * depth : 2 * depth) {
        const ein_nn_scale_t *scale = &layer->scales[c];
        const int32_t bias[2] = {scale[0].bias, scale[1].bias};
        const ein_nn_rest_t rest[2] = {ein_nn_rest(&scale[0], layer->out_zero),
                                       ein_nn_rest(&scale[1], layer->out_zero)};
        const int32_t both = c + 1 < channels;
        /* an odd last channel has no place to write a second one */
        const int32_t evenly = both ? count / 2 * 2 : 0;
        const uint32_t *widened = wide ? (const uint32_t *)(const void *)weights : room;

        if (evenly > 0) {
            const pair_t pair = {widened,
                                 widened + depth,
                                 {2 * bias[0], 2 * bias[1], 2 * bias[0], 2 * bias[1]},
                                 {rest[0], rest[1]},
                                 channels,
                                 4 * step - 2 * depth,
                                 2 * step};

            if (!wide)
                widen_weights(room, weights, depth);
            if (depth % 24 == 0)
                mac_2x2_by_24(out + c, out + c + evenly * channels, pair.rest, columns);
            else
                mac_2x2_by_8(out + c, out + c + evenly * channels, pair.rest, columns);
        }
        for (int32_t n = evenly; n < count; n++) {
            int32_t sums[2] = {2 * bias[0], 2 * bias[1]};
            int8_t *to = out + n * channels + c;

            if (wide) {
                mac_2x1_wide(widened, columns + n * step, depth, sums);
            } else {
                sums[0] = bias[0], sums[1] = bias[1];
                mac_2x1(weights, columns + n * step, depth, sums);
                sums[0] *= 2, sums[1] *= 2;
            }
            to[0] = ein_nn_finish_doubled(&rest[0], sums[0]);
            if (both)
                to[1] = ein_nn_finish_doubled(&rest[1], sums[1]);
        }
    }
    ein_nn_activate(out, count * channels, layer->act_min, layer->act_max);
}

#endif
