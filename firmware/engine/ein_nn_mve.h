/* Helium (Arm's M-profile Vector Extension, integers) as the kernels use it; empty elsewhere.
 *
 * Four 32-bit lanes are four output channels, or four neighbouring values. VQRDMULH is the first of
 * TFLite Micro's two roundings to the bit; it saturates only 2^31 * 2^31, and multipliers are below
 * 2^31. Vectors of bytes may lie at any address, of words at multiples of four.
 */
#ifndef EIN_NN_MVE_H
#define EIN_NN_MVE_H

#include "ein_nn_fixed.h"

#if EIN_NN_MVE
#include <arm_mve.h>

#define EIN_NN_MVE_LANES 4

/* Lanes 0 to n - 1; all, when there are more. */
static inline mve_pred16_t ein_nn_mve_first(int32_t n)
{
    return vctp32q((uint32_t)n);
}

/* x / 2^right, halves away from zero, for the high half of a product whose sign is that of `x`:
 * ein_nn_rescale_doubled says why x settles a tie as well. */
static inline int32x4_t ein_nn_mve_round(int32x4_t high, int32x4_t x, int32x4_t minus_right)
{
    return vrshlq_s32(vaddq_s32(high, vshrq_n_s32(x, 31)), minus_right);
}

/* Lanes saturated to int8, each in its lane's lowest byte; what else is in a lane is undefined. In
 * place, which GCC does not find by itself. */
static inline int32x4_t ein_nn_mve_saturate(int32x4_t values)
{
    __asm__("vqmovnb.s32 %q0, %q0\n"
            "vqmovnb.s16 %q0, %q0"
            : "+w"(values));
    return values;
}

/* Copies n bytes; `to` may overlap what has been read. */
static inline void ein_nn_mve_copy(int8_t *to, const int8_t *from, int32_t n)
{
    __asm volatile("wlstp.8 lr, %[n], 2f\n"
                   "1:\n"
                   "vldrb.u8 q0, [%[from]], #16\n"
                   "vstrb.8 q0, [%[to]], #16\n"
                   "letp lr, 1b\n"
                   "2:\n"
                   : [to] "+r"(to), [from] "+r"(from)
                   : [n] "r"(n)
                   : "lr", "q0", "cc", "memory");
}

static inline void ein_nn_mve_fill(int8_t *to, int32_t n, int8_t value)
{
    __asm volatile("vdup.8 q0, %[value]\n"
                   "wlstp.8 lr, %[n], 2f\n"
                   "1:\n"
                   "vstrb.8 q0, [%[to]], #16\n"
                   "letp lr, 1b\n"
                   "2:\n"
                   : [to] "+r"(to)
                   : [n] "r"(n), [value] "r"(value)
                   : "lr", "q0", "cc", "memory");
}

#endif
#endif
