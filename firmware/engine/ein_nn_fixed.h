/* Fixed-point arithmetic shared by all kernels: TFLite Micro's requantization, bit for bit.
 *
 * A real factor is multiplier * 2^(left - right - 31), multiplier in [2^30, 2^31) or 0; left or
 * right is 0. TFLite Micro rounds twice: a doubling high multiply that rounds half up, then a right
 * shift that rounds half away from zero. Both roundings are kept, since a single one differs in the
 * last bit now and then.
 *
 * Right shifts of negative numbers are arithmetic on every compiler this project supports (C99
 * leaves it to them); the array below does not compile where they are not.
 */
#ifndef EIN_NN_FIXED_H
#define EIN_NN_FIXED_H

#include <stdint.h>

typedef char ein_nn_arithmetic_shift_t[(-3 >> 1) == -2 ? 1 : -1];

/* Weights are read four bytes at a time. */
#define EIN_NN_ALIGNED __attribute__((aligned(4)))

/* Define EIN_NN_PORTABLE to build the plain C kernels where others would be chosen.
 *
 * Helium, the M-profile Vector Extension of Cortex-M55 and later, for integers. */
#if defined(__ARM_FEATURE_MVE) && !defined(EIN_NN_PORTABLE)
#define EIN_NN_MVE 1
#else
#define EIN_NN_MVE 0
#endif

/* The DSP instructions of Cortex-M4 and later, where there is nothing better. */
#if defined(__ARM_FEATURE_DSP) && !EIN_NN_MVE && !defined(EIN_NN_PORTABLE)
#define EIN_NN_DSP 1
#else
#define EIN_NN_DSP 0
#endif

/* Define EIN_NN_SMALL where flash is short: without the M4's own ways for dense layers, 0.8 KB; the
   plain kernels without the one for four positions at a time, 0.7 KB. */
#if EIN_NN_DSP && !defined(EIN_NN_SMALL)
#define EIN_NN_DSP_DENSE 1
#else
#define EIN_NN_DSP_DENSE 0
#endif

/* ARMv7-M saturates in one instruction, with DSP instructions or without. */
#if defined(__ARM_FEATURE_SAT) && !defined(EIN_NN_PORTABLE)
#define EIN_NN_SSAT 1
#else
#define EIN_NN_SSAT 0
#endif

/* RV32 with M has assembly of its own, too. */
#if defined(__riscv_mul) && __riscv_xlen == 32 && !defined(__riscv_e) && !defined(EIN_NN_PORTABLE)
#define EIN_NN_RV32 1
#else
#define EIN_NN_RV32 0
#endif

/* Cores whose multiplications are of 32 bits: two products in one, see ein_nn_conv_lanes.h. */
#if (defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M' && !defined(__ARM_FEATURE_DSP) &&    \
     !defined(EIN_NN_PORTABLE)) ||                                                                 \
    EIN_NN_RV32
#define EIN_NN_LANES 1
#else
#define EIN_NN_LANES 0
#endif

/* A host that has AVX2 and is compiled for it (-mavx2). */
#if defined(__AVX2__) && !defined(EIN_NN_PORTABLE)
#define EIN_NN_AVX2 1
#else
#define EIN_NN_AVX2 0
#endif

/* ARMv6-M multiplies 32 by 32 bits into 32 only, and calls a function for 64. */
#if defined(__ARM_ARCH_6M__) && !defined(EIN_NN_PORTABLE)
#define EIN_NN_SHORT_MULTIPLY 1
#elif !defined(EIN_NN_SHORT_MULTIPLY)
#define EIN_NN_SHORT_MULTIPLY 0
#endif

/* Plain kernels with EIN_NN_SMALL: a channel's scale takes 8 bytes instead of 12. A bias that does
   not fit into 24 bits is refused by the compiler, or in a patient's head by ein_nn_head_fits. */
#if defined(EIN_NN_SMALL) && defined(EIN_NN_PORTABLE)
#define EIN_NN_PACKED 1
#else
#define EIN_NN_PACKED 0
#endif

/* A factor and the constant that is added before it: one output channel's requantization. `bias`:
   with the input's zero point folded in where the kernel's header says so. */
typedef struct {
#if EIN_NN_PACKED
    int64_t bias : 24;
    uint64_t multiplier : 31;
    uint64_t left : 4;
    uint64_t right : 5;
#else
    int32_t bias;
    int32_t multiplier;
    uint8_t left, right;
#endif
} ein_nn_scale_t;

/* (x * multiplier + 2^30) >> 31. Never overflows, multiplier being >= 0. */
static inline int32_t ein_nn_doubling_high_mul(int32_t x, int32_t multiplier)
{
    return (int32_t)(((int64_t)x * multiplier + ((int64_t)1 << 30)) >> 31);
}

/* x / 2^shift, halves away from zero; shift 0..31. */
static inline int32_t ein_nn_rounding_shift(int32_t x, uint32_t shift)
{
    const int32_t mask = (int32_t)((1u << shift) - 1u);
    const int32_t threshold = (mask >> 1) + (int32_t)((uint32_t)x >> 31);

    return (x >> shift) + ((x & mask) > threshold);
}

/* x times the factor. The generator has proved that x * 2^left fits 32 bits. */
static inline int32_t ein_nn_rescale(int32_t x, int32_t multiplier, uint32_t left, uint32_t right)
{
    const int32_t shifted = (int32_t)((uint32_t)x << left);

    return ein_nn_rounding_shift(ein_nn_doubling_high_mul(shifted, multiplier), right);
}

/* (x * y + 2^31) >> 32: the same for a doubled x, in less code. y >= 0. */
static inline int32_t ein_nn_high_mul(int32_t x, int32_t y)
{
#if EIN_NN_SHORT_MULTIPLY
    /* By halves, of which y's are both below 2^15 or 2^16: no sum leaves 31 bits and a sign. */
    const uint32_t x_low = (uint32_t)x & 0xFFFFu, y_low = (uint32_t)y & 0xFFFFu;
    const int32_t x_high = x >> 16, y_high = y >> 16;
    const int32_t middle = x_high * (int32_t)y_low + (int32_t)(x_low * y_low >> 16);
    const int32_t other = (int32_t)x_low * y_high + (middle & 0xFFFF);

    return x_high * y_high + (middle >> 16) + (other >> 16) + (other >> 15 & 1);
#elif EIN_NN_DSP
    int32_t high;

    __asm__("smmulr %0, %1, %2" : "=r"(high) : "r"(x), "r"(y));
    return high;
#else
    const int64_t product = (int64_t)x * y;

    return (int32_t)(product >> 32) + (int32_t)((uint32_t)product >> 31);
#endif
}

/* A doubled x times the factor of `multiplier` and `right`, 1..31, plus z, for `rounding` = z *
 * 2^right + 2^(right - 1). The product's sign settles a tie of the second rounding; so does that of
 * x, since only a product of 0 can have another one, which is as far from a tie as can be. */
static inline int32_t ein_nn_rescale_doubled(int32_t x, int32_t multiplier, int32_t rounding,
                                             uint32_t right)
{
#if EIN_NN_DSP
    int32_t value = rounding + (x >> 31);

    __asm__("smmlar %0, %1, %2, %0" : "+r"(value) : "r"(x), "r"(multiplier));
    return value >> right;
#else
    const int32_t high = ein_nn_high_mul(x, multiplier);

    return (high + (high >> 31) + rounding) >> right;
#endif
}

static inline int8_t ein_nn_clamp(int32_t x, int32_t low, int32_t high)
{
    x = x < low ? low : x;
    return (int8_t)(x > high ? high : x);
}

static inline int8_t ein_nn_saturate(int32_t x)
{
#if EIN_NN_SSAT
    int32_t byte;

    __asm__("ssat %0, #8, %1" : "=r"(byte) : "r"(x));
    return (int8_t)byte;
#else
    return ein_nn_clamp(x, INT8_MIN, INT8_MAX);
#endif
}

/* Activations that allow less than all of int8 are rare (a ReLU's zero point is -128): they cost a
 * pass. */
static inline void ein_nn_activate(int8_t *values, int32_t n, int32_t low, int32_t high)
{
    if (low > INT8_MIN || high < INT8_MAX)
        for (int32_t i = 0; i < n; i++)
            values[i] = ein_nn_clamp(values[i], low, high);
}

#endif
