/* The convolution's inner loop with Helium: four output channels for a position at a time, sixteen
 * products an instruction (VMLADAVA.S8), summed up in a core register each.
 *
 * Inputs stay bytes. Weights are read as any target without DSP instructions has them, two channels
 * four values apart, which VLD2 of words takes apart at no cost; but for the order of those four,
 * see ein_nn_conv.h. Wide weights are in their own order; for others either the inputs or, where
 * windows lie at odd distances, the weights are brought into the same order first. */
#include "ein_nn_conv.h"
#include "ein_nn_mve.h"

#if EIN_NN_MVE

#define LANES EIN_NN_MVE_LANES

/* What mac_quad reads; its assembly counts on this order. */
typedef struct {
    const int8_t *weights[2]; /* 0: of two pairs of channels */
    int32_t bias[LANES];      /* 8 */
    int32_t multiplier[LANES], rounding[LANES], minus_right[LANES]; /* 24, 40, 56 */
    int32_t blocks;                                                 /* 72: of sixteen values */
    int8_t *out;                                                    /* 76 */
    int32_t channels; /* 80: bytes from one output position to the next */
    int32_t back;     /* 84: bytes from the last whole block's end to the next position's inputs */
    int32_t count;    /* 88: positions, at least one */
} quad_t;

/* clang-format off */

/* Eight more values: x r0; the weights' words alternate between two channels, so do the inputs. */
#define EIGHT                                                                                      \
    "vldrb.u8 q0, [r1]\n"                                                                          \
    "ldr r1, [r0]\n"                                                                               \
    "vldrb.u8 q1, [r2]\n"                                                                          \
    "ldr r2, [r0, #4]\n"                                                                           \
    "vmov q2[2], q2[0], r1, r2\n"                                                                  \
    "vmov q2[3], q2[1], r1, r2\n"                                                                  \
    "vpsteet\n"                                                                                    \
    "vmladavat.s8 r4, q2, q0\n"                                                                    \
    "vmladavae.s8 r6, q2, q0\n"                                                                    \
    "vmladavae.s8 r10, q2, q1\n"                                                                   \
    "vmladavat.s8 r8, q2, q1\n"

/* Four channels of all positions. r0: inputs, r1, r2: weights, r3: quad, r4, r6, r8, r10: sums, r5:
 * blocks, r7: out, r9: channels, r11: back, r12: count. Stack: 100 bytes. */
#define MAC_QUAD(name, rest)                                                                       \
    __attribute__((naked, noinline)) static void name(const int8_t *inputs, const quad_t *quad)    \
    {                                                                                              \
        (void)inputs, (void)quad;                                                                  \
        __asm__("push {r4-r11, lr}\n"                                                              \
                "vpush {d8-d15}\n"                                                                 \
                "mov r3, r1\n"                                                                     \
                "add r12, r3, #72\n"                                                               \
                "ldm r12, {r5, r7, r9, r11, r12}\n"                                                \
                "vldrw.u32 q5, [r3, #24]\n"                                                        \
                "vldrw.u32 q6, [r3, #40]\n"                                                        \
                "vldrw.u32 q7, [r3, #56]\n"                                                        \
                "movw lr, #0x0F0F\n"                                                               \
                "vmsr p0, lr\n"                                                                    \
                "1:\n" /* a position */                                                            \
                "ldm r3, {r1, r2, r4, r6, r8, r10}\n"                                              \
                "wls lr, r5, 3f\n"                                                                 \
                "2:\n"                                                                             \
                "vld20.32 {q0, q1}, [r1]\n"                                                        \
                "vldrb.u8 q4, [r0], #16\n"                                                         \
                "vld21.32 {q0, q1}, [r1]!\n"                                                       \
                "vmladava.s8 r4, q4, q0\n"                                                         \
                "vld20.32 {q2, q3}, [r2]\n"                                                        \
                "vmladava.s8 r6, q4, q1\n"                                                         \
                "vld21.32 {q2, q3}, [r2]!\n"                                                       \
                "vmladava.s8 r8, q4, q2\n"                                                         \
                "vmladava.s8 r10, q4, q3\n"                                                        \
                "le lr, 2b\n"                                                                      \
                "3:\n" rest                                                                        \
                "vmov q0[2], q0[0], r4, r8\n"                                                      \
                "vmov q0[3], q0[1], r6, r10\n"                                                     \
                "add r0, r0, r11\n"                                                                \
                "vqrdmulh.s32 q1, q0, q5\n"                                                        \
                "vshr.s32 q0, q0, #31\n"                                                           \
                "vadd.i32 q1, q1, q6\n"                                                            \
                "vadd.i32 q1, q1, q0\n"                                                            \
                "vshl.s32 q1, q1, q7\n"                                                            \
                "vqmovnb.s32 q1, q1\n"                                                             \
                "subs r12, r12, #1\n"                                                              \
                "vqmovnb.s16 q1, q1\n"                                                             \
                "vstrb.32 q1, [r7]\n"                                                              \
                "add r7, r7, r9\n"                                                                 \
                "bne 1b\n"                                                                         \
                "vpop {d8-d15}\n"                                                                  \
                "pop {r4-r11, pc}\n");                                                             \
    }

MAC_QUAD(mac_quad, )
MAC_QUAD(mac_quad_and_eight, EIGHT)

/* clang-format on */

/* Bytes 1 and 2 of each word exchanged; n is a multiple of 4. `to` may be `from`. */
static void reorder(int8_t *to, const int8_t *from, int32_t n)
{
    static const uint8_t order[16] = {0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15};
    const uint8x16_t offsets = vldrbq_u8(order);

    for (; n > 0; n -= 16, to += 16, from += 16) {
        const mve_pred16_t there = vctp8q((uint32_t)n);

        vstrbq_p_s8(to, vldrbq_gather_offset_z_s8(from, offsets, there), there);
    }
}

/* What rescales the sums of up to four channels, from `scale` on. */
static void describe(quad_t *quad, const ein_nn_scale_t *scale, int32_t channels, int32_t zero)
{
    const mve_pred16_t there = ein_nn_mve_first(channels);
    const uint32x4_t at = vmulq_n_u32(vidupq_n_u32(0, 1), sizeof *scale);
    const int32x4_t right =
        vreinterpretq_s32_u32(vldrbq_gather_offset_z_u32(&scale->right, at, there));
    const int32x4_t one = vdupq_n_s32(1);

    vst1q_s32(quad->bias, vldrwq_gather_offset_z_s32(&scale->bias, at, there));
    vst1q_s32(quad->multiplier, vldrwq_gather_offset_z_s32(&scale->multiplier, at, there));
    vst1q_s32(quad->minus_right, vnegq_s32(right));
    vst1q_s32(quad->rounding, vaddq_s32(vshlq_s32(vdupq_n_s32(zero), right),
                                        vshlq_s32(one, vsubq_s32(right, one))));
}

/* `rows` input rows from `row` on, wherever they lie. */
static void gather_rows(const ein_nn_conv_t *l, const int8_t *in, int32_t row, int32_t rows,
                        int8_t *to)
{
    const int32_t channels = l->in_channels;

    if (row < 0 || row + rows > l->in_length) {
        ein_nn_mve_fill(to, rows * channels, l->in_zero);
        if (row < 0) {
            to -= row * channels;
            rows += row;
            row = 0;
        }
        if (rows > l->in_length - row)
            rows = l->in_length - row;
        if (rows <= 0)
            return;
    }
    ein_nn_mve_copy(to, in + row * channels, rows * channels);
}

/* What `count` positions see. What fills up a depth is multiplied with zeros: any value does. */
static void gather(const ein_nn_conv_t *l, const int8_t *in, int32_t first, int32_t count,
                   int8_t *columns)
{
    int32_t row = first * l->stride - l->pad_left;

    if (l->flags & EIN_NN_CONV_ROWS) {
        gather_rows(l, in, row, (count - 1) * l->stride + l->kernel, columns);
        return;
    }
    for (; count > 0; count--, row += l->stride, columns += l->step) {
        if (l->dilation == 1) {
            gather_rows(l, in, row, l->kernel, columns);
            continue;
        }
        for (int32_t t = 0; t < l->kernel; t++)
            gather_rows(l, in, row + t * l->dilation, 1, columns + t * l->in_channels);
    }
}

void ein_nn_conv_chunk_mve(const ein_nn_conv_t *layer, const int8_t *in, int32_t first,
                           int32_t count, int8_t *columns, int8_t *out)
{
    const int32_t channels = layer->out_channels, depth = layer->depth, step = layer->step;
    const int32_t size = (count - 1) * step + depth;
    const int32_t natural = layer->flags & EIN_NN_CONV_WIDE;
    const int32_t together = count == 1 || step % 4 == 0; /* windows have their words in common */
    int8_t *const room = columns + 2 * ((layer->chunk - 1) * step + depth);
    const int8_t *weights = layer->weights;
    quad_t quad;

    gather(layer, in, first, count, columns);
    if (!natural && together)
        reorder(columns, columns, size);
    quad.blocks = depth / 16;
    quad.channels = channels;
    quad.back = step - depth / 16 * 16;
    for (int32_t c = 0; c < channels; c += LANES, weights += LANES * depth) {
        const int32_t left = channels - c;
        const int32_t pairs = left > 2 ? 4 * depth : 2 * depth;
        const int8_t *from = weights;

        if (!natural && !together) {
            reorder(room, weights, pairs);
            from = room;
        }
        describe(&quad, &layer->scales[c], left, layer->out_zero);
        quad.weights[0] = from;
        quad.weights[1] = left > 2 ? from + 2 * depth : from; /* one pair only: it once more */
        for (int32_t n = 0; n < count; n += quad.count) {
            int8_t partly[LANES];

            /* Where there are less than four channels, a position at a time. */
            quad.count = left < LANES ? 1 : count;
            quad.out = left < LANES ? partly : out + c;
            (depth % 16 == 0 ? mac_quad : mac_quad_and_eight)(columns + n * step, &quad);
            for (int32_t i = 0; left < LANES && i < left; i++)
                out[n * channels + c + i] = partly[i];
        }
    }
    ein_nn_activate(out, count * channels, layer->act_min, layer->act_max);
}

#endif
