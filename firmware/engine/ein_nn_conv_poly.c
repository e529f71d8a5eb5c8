#include "ein_nn_conv_poly.h"

#include <string.h>

#include "ein_nn_conv_finish.h"
#include "ein_nn_conv_lanes.h"

#if EIN_NN_DSP

/* Two output channels by two pairs of positions at a time, and their four sums of 64 bits, take
 * eight registers: twelve SMLAL and six loads do 40 multiply-adds. A sum starts with 2^20 in each
 * lane, so that none is negative when they are taken apart. The upper lane of a pair of positions
 * and the lower one of the next are what the odd position in between consists of, so a chunk takes
 * one pair more than it has positions for.
 */
#define LANE 21

/* What finishes a channel: its sums are lanes, each of which is 2^20 too large. */
typedef struct {
    int32_t even, odd; /* twice the bias less what is too much: of one lane, of two */
    int32_t multiplier, rounding, right;
} finish_t;

/* What poly_pair reads and writes; its assembly counts on this order. */
typedef struct {
    const int32_t *inputs, *weights; /* 0, 4: of the next two pairs of positions */
    const int32_t *end;              /* 8: of the weights */
    uintptr_t out_begin;             /* 12 */
    uintptr_t out;                   /* 16: one position before the next two pairs */
    uintptr_t out_end;               /* 20 */
    int32_t channels;                /* 24 */
    uint32_t carry[2];               /* 28: upper lanes of the pair of positions before */
    finish_t finish[2];              /* 36, 56 */
    uint32_t start[8];               /* 76 */
} pair_t;

/* clang-format off */

/* Two weights (r2, r3: of both channels) times the inputs of two pairs of positions. */
#define MAC(first, second)                                                                         \
    "smlal r4, r5, r2, " first "\n"                                                                \
    "smlal r6, r7, r3, " first "\n"                                                                \
    "smlal r8, r9, r2, " second "\n"                                                               \
    "smlal r10, r11, r3, " second "\n"

/* An input channel, whose first words are at r0; `load` brings r0 there. */
#define CHANNEL(load)                                                                              \
    "ldrd r2, r3, [r1], #8\n"                                                                      \
    "ldrd r12, lr, " load "\n"                                                                     \
    MAC("r12", "lr")                                                                               \
    "ldrd r2, r3, [r1], #8\n"                                                                      \
    "ldr r12, [r0, #8]\n"                                                                          \
    MAC("lr", "r12")                                                                               \
    "ldrd r2, r3, [r1], #8\n"                                                                      \
    "ldr lr, [r0, #12]\n"                                                                          \
    MAC("r12", "lr")

/* The lanes of two neighbouring sums, four positions: `before` is the one that was not complete. */
#define LANES(carry, low0, high0, low1, high1, before, y0, y1, y2, t)                              \
    "ldr " before ", [r0, " carry "]\n"                                                            \
    "ubfx " t ", " low0 ", #0, #21\n"                                                              \
    "add " before ", " before ", " t "\n"                                                          \
    "lsr " y0 ", " low0 ", #21\n"                                                                  \
    "bfi " y0 ", " high0 ", #11, #10\n"                                                            \
    "ubfx " t ", " low1 ", #0, #21\n"                                                              \
    "add " y1 ", " t ", " high0 ", lsr #10\n"                                                      \
    "lsr " y2 ", " low1 ", #21\n"                                                                  \
    "bfi " y2 ", " high1 ", #11, #10\n"                                                            \
    "lsr " t ", " high1 ", #10\n"                                                                  \
    "str " t ", [r0, " carry "]\n"

/* ein_nn_finish_doubled */
#define FINISH(y, offset, multiplier, rounding, right)                                             \
    "add " y ", " offset ", " y ", lsl #1\n"                                                       \
    "smmulr " y ", " y ", " multiplier "\n"                                                        \
    "add " y ", " y ", " y ", asr #31\n"                                                           \
    "add " y ", " y ", " rounding "\n"                                                             \
    "asr " y ", " y ", " right "\n"                                                                \
    "ssat " y ", #8, " y "\n"

/* Both channels of the positions from out_begin to out_end. Stack: 40 bytes. */
__attribute__((naked, noinline)) static void poly_pair(pair_t *pair)
{
    (void)pair;
    __asm__("push {r0, r4-r11, lr}\n"
            "1:\n" /* two pairs of positions */
            "add r12, r0, #76\n"
            "ldm r12, {r4-r11}\n"
            "ldrd r0, r1, [r0]\n"
            "sub r0, r0, #80\n"
            "2:\n" /* four input channels */
            CHANNEL("[r0, #80]!") CHANNEL("[r0, #80]!") CHANNEL("[r0, #80]!") CHANNEL("[r0, #80]!")
            "ldr r2, [sp]\n"
            "ldr r2, [r2, #8]\n"
            "cmp r1, r2\n"
            "bne 2b\n"
            "ldr r0, [sp]\n"
            LANES("#28", "r4", "r5", "r8", "r9", "r1", "r2", "r3", "r4", "r12")
            "add r12, r0, #36\n"
            "ldm r12, {r5, r8, r9, r12, lr}\n"
            FINISH("r1", "r8", "r9", "r12", "lr")
            FINISH("r2", "r5", "r9", "r12", "lr")
            FINISH("r3", "r8", "r9", "r12", "lr")
            FINISH("r4", "r5", "r9", "r12", "lr")
            LANES("#32", "r6", "r7", "r10", "r11", "r5", "r6", "r7", "r10", "r8")
            "add r12, r0, #56\n"
            "ldm r12, {r8, r9, r11, r12, lr}\n"
            FINISH("r5", "r9", "r11", "r12", "lr")
            FINISH("r6", "r8", "r11", "r12", "lr")
            FINISH("r7", "r9", "r11", "r12", "lr")
            FINISH("r10", "r8", "r11", "r12", "lr")
            "bfi r1, r5, #8, #8\n"
            "bfi r2, r6, #8, #8\n"
            "bfi r3, r7, #8, #8\n"
            "bfi r4, r10, #8, #8\n"
            "ldr r5, [r0]\n"
            "add r5, r5, #8\n"
            "str r5, [r0]\n"
            "add r12, r0, #12\n"
            "ldm r12, {r5, r8, r9, r11}\n" /* begin, out, end, channels */
            "cmp r8, r5\n"
            "it hs\n"
            "strhhs r1, [r8]\n"
            "add r8, r8, r11\n"
            "cmp r8, r9\n"
            "beq 3f\n"
            "strh r2, [r8]\n"
            "add r8, r8, r11\n"
            "cmp r8, r9\n"
            "beq 3f\n"
            "strh r3, [r8]\n"
            "add r8, r8, r11\n"
            "cmp r8, r9\n"
            "beq 3f\n"
            "strh r4, [r8]\n"
            "add r8, r8, r11\n"
            "str r8, [r0, #16]\n"
            "cmp r8, r9\n"
            "bne 1b\n"
            "3:\n"
            "pop {r0, r4-r11, pc}\n");
}

/* clang-format on */

/* Pairs of the rows that `count` positions see, as words, a column a row pair. */
static void gather(const ein_nn_conv_t *l, const int8_t *in, int32_t first, int32_t count,
                   int32_t *words)
{
    const int32_t channels = l->in_channels;
    const int32_t row = first - l->pad_left, pairs = (count / 4 + 1) * 2 + 2;
    int8_t outside[EIN_NN_POLY_MAX_CHANNELS];

    if (row < 0 || row + 2 * pairs > l->in_length)
        memset(outside, l->in_zero, sizeof outside);
    for (int32_t r = row; r < row + 2 * pairs; r += 2, words++) {
        const int8_t *a = r >= 0 && r < l->in_length ? in + r * channels : outside;
        const int8_t *b = r + 1 >= 0 && r + 1 < l->in_length ? in + (r + 1) * channels : outside;
        int32_t *to = words;

        for (const int8_t *const end = a + channels; a != end; a += 4, b += 4) {
            to[0] = a[0] + b[0] * (1 << LANE);
            to[EIN_NN_POLY_PITCH] = a[1] + b[1] * (1 << LANE);
            to[2 * EIN_NN_POLY_PITCH] = a[2] + b[2] * (1 << LANE);
            to[3 * EIN_NN_POLY_PITCH] = a[3] + b[3] * (1 << LANE);
            to += 4 * EIN_NN_POLY_PITCH;
        }
    }
}

static void convolve(const ein_nn_conv_t *layer, const int8_t *in, int32_t first, int32_t count,
                     int8_t *out, int32_t *scratch)
{
    const int32_t channels = layer->out_channels, size = layer->in_channels * 6;
    const int32_t *weights = layer->weights;
    const uint32_t low = 1u << (LANE - 1),
                   high = 1u << (2 * LANE - 1 - 32) | 1u << (3 * LANE - 1 - 32);
    pair_t pair;

    pair.channels = channels;
    for (int32_t i = 0; i < 8; i += 2)
        pair.start[i] = low, pair.start[i + 1] = high;
    gather(layer, in, first, count, scratch);
    for (int32_t c = 0; c < channels; c += 2, weights += size) {
        pair.inputs = scratch;
        pair.weights = weights;
        pair.end = weights + size;
        pair.out_begin = (uintptr_t)(out + c);
        pair.out =
            pair.out_begin - (uintptr_t)channels; /* what is before the begin is not written */
        pair.out_end = (uintptr_t)(out + c + count * channels);
        for (int32_t i = 0; i < 2; i++) {
            const ein_nn_scale_t *scale = &layer->scales[c + i];
            const ein_nn_rest_t rest = ein_nn_rest(scale, layer->out_zero);

            pair.finish[i].even = 2 * scale->bias - (1 << LANE);
            pair.finish[i].odd = 2 * scale->bias - (2 << LANE);
            pair.finish[i].multiplier = rest.multiplier;
            pair.finish[i].rounding = rest.rounding;
            pair.finish[i].right = (int32_t)rest.right;
        }
        poly_pair(&pair);
    }
    ein_nn_activate(out, count * channels, layer->act_min, layer->act_max);
}

void ein_nn_conv_poly_rows(const ein_nn_conv_t *layer, const int8_t *in, int8_t *out,
                           int16_t *scratch, int32_t first, int32_t rows)
{
    const int32_t end = first + rows;

    for (; first < end; first += layer->chunk) {
        const int32_t left = end - first;
        const int32_t count = left < layer->chunk ? left : layer->chunk;

        convolve(layer, in, first, count, out + first * layer->out_channels,
                 (int32_t *)(void *)scratch);
    }
}

#else

void ein_nn_conv_poly_rows(const ein_nn_conv_t *layer, const int8_t *in, int8_t *out,
                           int16_t *scratch, int32_t first, int32_t rows)
{
#if EIN_NN_LANES
    if (layer->marks != NULL) {
        ein_nn_conv_lanes_rows(layer, in, out, scratch, first, rows);
        return;
    }
#endif
    ein_nn_conv_rows(layer, in, out, scratch, first, rows);
}

#endif

void ein_nn_conv_poly(const ein_nn_conv_t *layer, const int8_t *in, int8_t *out, int16_t *scratch)
{
    ein_nn_conv_poly_rows(layer, in, out, scratch, 0, layer->out_length);
}
