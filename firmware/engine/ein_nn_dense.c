#include "ein_nn_dense.h"

#include <stddef.h>

#include "ein_nn_dsp.h"

#if EIN_NN_DSP_DENSE

#define WITHIN 0x007F007Fu /* what keeps 256 x - y within each halfword */

/* Of each four inputs, x y x y: 256 x - y + 127 of both, then both y. */
static void spread(uint32_t *to, const int8_t *in, int32_t n)
{
    for (const int8_t *const end = in + n; in != end; in += 4, to += 2) {
        const uint32_t four = ein_nn_dsp_read(in), odd = ein_nn_dsp_odd(four);
        uint32_t even = four << 8 & 0xFF00FF00u;

        __asm__("ssub16 %0, %0, %1\n"
                "sadd16 %0, %0, %2"
                : "+r"(even)
                : "r"(odd), "r"(WITHIN));
        to[0] = even, to[1] = odd;
    }
}

/* clang-format off */

/* Four weights times four inputs. */
#define MAC4(even, odd, weights, sum)                                                              \
    "smlad " sum ", " odd ", " weights ", " sum "\n"                                               \
    "sxtb16 " weights ", " weights "\n"                                                            \
    "smlad " sum ", " even ", " weights ", " sum "\n"

/* Eight of both channels. */
#define MAC8                                                                                       \
    "ldmia r0!, {r6-r9}\n"                                                                         \
    "ldmia r1!, {r10-r12, lr}\n"                                                                   \
    MAC4("r6", "r7", "r10", "r4") MAC4("r6", "r7", "r11", "r5")                                    \
    MAC4("r8", "r9", "r12", "r4") MAC4("r8", "r9", "lr", "r5")

/* Of 256 times the sum: ein_nn_finish, with r6 = 2 * out_zero + 1; by way of r11 and r12. */
#define FINISH(sum, multiplier, right)                                                             \
    "asr " sum ", " sum ", #7\n"                                                                   \
    "lsl r11, r6, " right "\n"                                                                     \
    "asr r12, " sum ", #31\n"                                                                      \
    "add r12, r12, r11, asr #1\n"                                                                  \
    "smmlar " sum ", " sum ", " multiplier ", r12\n"                                               \
    "asr " sum ", " sum ", " right "\n"                                                            \
    "ssat " sum ", #8, " sum "\n"

/* All pairs of channels from `out` to `end`. r0: what spread() made, up to r2; r1: weights; r3: the
 * pair's scales; r4, r5: its sums. Stack: 40 bytes. */
__attribute__((naked, noinline)) static void
pairs(const uint32_t *inputs, const int8_t *weights, const uint32_t *inputs_end,
      const ein_nn_scale_t *scales, int8_t *out, const int8_t *end, int32_t zero)
{
    (void)inputs, (void)weights, (void)inputs_end, (void)scales, (void)out, (void)end, (void)zero;
    __asm__("push {r0, r4-r11, lr}\n"
            "1:\n" /* two channels */
            "ldr r4, [r3]\n"
            "ldr r5, [r3, #12]\n"
            "sub r6, r2, r0\n"
            "tst r6, #16\n" /* an odd number of eights */
            "bne 3f\n"
            "2:\n" MAC8
            "3:\n" MAC8
            "cmp r0, r2\n"
            "bne 2b\n"
            "ldr r6, [sp, #48]\n"
            "ldr r7, [r3, #4]\n"
            "ldr r8, [r3, #16]\n"
            "ldrb r9, [r3, #9]\n"
            "ldrb r10, [r3, #21]\n"
            FINISH("r4", "r7", "r9")
            FINISH("r5", "r8", "r10")
            "ldrd r11, r12, [sp, #40]\n"
            "strb r4, [r11], #1\n"
            "strb r5, [r11], #1\n"
            "str r11, [sp, #40]\n"
            "ldr r0, [sp]\n"
            "add r3, r3, #24\n"
            "cmp r11, r12\n"
            "bne 1b\n"
            "pop {r0, r4-r11, pc}\n");
}

/* clang-format on */

/* Its assembly counts on this. */
typedef char
    scale_layout_t[(sizeof(ein_nn_scale_t) == 12 && offsetof(ein_nn_scale_t, multiplier) == 4 &&
                    offsetof(ein_nn_scale_t, right) == 9)
                       ? 1
                       : -1];

void ein_nn_dense(const ein_nn_conv_t *layer, const int8_t *in, int8_t *out, int16_t *scratch)
{
    const int32_t channels = layer->out_channels;
    uint32_t *const inputs = (uint32_t *)(void *)scratch;

    spread(inputs, in, layer->in_channels);
    pairs(inputs, layer->weights, inputs + layer->depth / 2, layer->scales, out, out + channels,
          2 * layer->out_zero + 1);
    ein_nn_activate(out, channels, layer->act_min, layer->act_max);
}

#else

void ein_nn_dense(const ein_nn_conv_t *layer, const int8_t *in, int8_t *out, int16_t *scratch)
{
    ein_nn_conv(layer, in, out, scratch);
}

#endif
