/* Addition with Helium. */
#include "ein_nn_add.h"
#include "ein_nn_mve.h"

#if EIN_NN_MVE

/* Four at a time, by the sums themselves: VQRDMULH doubles the product. Activations cost nothing.
 */
void ein_nn_add_mve(const ein_nn_add_t *l, const int8_t *a, const int8_t *b, int8_t *out,
                    int32_t size)
{
    const int32x4_t a_unit = vdupq_n_s32(1 << 19), b_unit = vdupq_n_s32(1 << 20);
    const int32x4_t low = vdupq_n_s32(l->act_min), high = vdupq_n_s32(l->act_max);
    const int32_t a_offset = -l->a_zero * (1 << 19), b_offset = -l->b_zero * (1 << 20);
    const int32_t b_shift = -l->b_right, out_shift = -l->out_right;
    const int32_t rounding = l->out_zero * (1 << l->out_right) + (1 << (l->out_right - 1));

    register int32_t left __asm("lr") = size;

    __asm volatile(
        "wlstp.32 lr, lr, 2f\n"
        "1:\n"
        "vldrb.s32 q0, [%[b]], #4\n"
        "vldrb.s32 q1, [%[a]], #4\n"
        "vmlas.s32 q0, %q[b_unit], %[b_offset]\n"
        "vmlas.s32 q1, %q[a_unit], %[a_offset]\n"
        "vshr.s32 q2, q0, #31\n"
        "vqrdmulh.s32 q0, q0, %[b_multiplier]\n"
        "vadd.i32 q0, q0, q2\n"
        "vrshl.s32 q0, %[b_shift]\n"
        "vadd.i32 q1, q1, q0\n"
        "vshr.s32 q2, q1, #31\n"
        "vadd.i32 q2, q2, %[rounding]\n"
        "vqrdmlah.s32 q2, q1, %[out_multiplier]\n"
        "vshl.s32 q2, %[out_shift]\n"
        "vmax.s32 q2, q2, %q[low]\n"
        "vmin.s32 q2, q2, %q[high]\n"
        "vstrb.32 q2, [%[out]], #4\n"
        "letp lr, 1b\n"
        "2:\n"
        : [a] "+l"(a), [b] "+l"(b), [out] "+l"(out), "+r"(left)
        : [a_unit] "w"(a_unit), [b_unit] "w"(b_unit), [low] "w"(low), [high] "w"(high),
          [a_offset] "r"(a_offset), [b_offset] "r"(b_offset), [b_multiplier] "r"(l->b_multiplier),
          [b_shift] "r"(b_shift), [rounding] "r"(rounding), [out_multiplier] "r"(l->out_multiplier),
          [out_shift] "r"(out_shift)
        : "q0", "q1", "q2", "cc", "memory");
}

#endif
