/* A division that a Cortex-M4 has no instruction for, without the compiler's long one. */
#ifndef EIN_STRIP_MATH_H
#define EIN_STRIP_MATH_H

#include <stdint.h>

/* value / n, towards zero, for |value| < 2^48 and 0 < n < 2^16: two 32-bit divisions. */
static inline int64_t ein_strip_divide(int64_t value, uint32_t n)
{
    const uint64_t whole = value < 0 ? 0u - (uint64_t)value : (uint64_t)value;
    const uint32_t high = (uint32_t)(whole >> 16);
    const uint32_t rest = (high % n) << 16 | (uint32_t)(whole & 0xFFFFu);
    const uint64_t quotient = ((uint64_t)(high / n) << 16) + rest / n;
    return value < 0 ? -(int64_t)quotient : (int64_t)quotient;
}

#endif
