/* What an LX6 has as instructions and an LX106 has not, and Debian's libgcc for it lacks. */
#include <stdint.h>

uint32_t __udivsi3(uint32_t dividend, uint32_t divisor);
uint32_t __umodsi3(uint32_t dividend, uint32_t divisor);
int32_t __divsi3(int32_t dividend, int32_t divisor);
uint64_t __muldi3(uint64_t a, uint64_t b);

/* Bit by bit. A divisor of 0 gives all ones. */
static uint32_t divide(uint32_t dividend, uint32_t divisor, uint32_t *rest)
{
    uint32_t quotient = 0, left = 0;
    for (int bit = 31; bit >= 0; bit--) {
        const uint32_t carry = left >> 31;
        left = left << 1 | (dividend >> bit & 1u);
        if (carry != 0 || left >= divisor) {
            left -= divisor;
            quotient |= 1u << bit;
        }
    }
    *rest = left;
    return quotient;
}

uint32_t __udivsi3(uint32_t dividend, uint32_t divisor)
{
    uint32_t rest;
    return divide(dividend, divisor, &rest);
}

uint32_t __umodsi3(uint32_t dividend, uint32_t divisor)
{
    uint32_t rest;
    (void)divide(dividend, divisor, &rest);
    return rest;
}

int32_t __divsi3(int32_t dividend, int32_t divisor)
{
    const uint32_t a = dividend < 0 ? 0u - (uint32_t)dividend : (uint32_t)dividend;
    const uint32_t b = divisor < 0 ? 0u - (uint32_t)divisor : (uint32_t)divisor;
    const uint32_t quotient = __udivsi3(a, b);
    return (int32_t)((dividend < 0) == (divisor < 0) ? quotient : 0u - quotient);
}

/* By halves of 16 bits where a product must not lose its upper half. */
uint64_t __muldi3(uint64_t a, uint64_t b)
{
    const uint32_t a_low = (uint32_t)a & 0xFFFFu, a_high = (uint32_t)a >> 16;
    const uint32_t b_low = (uint32_t)b & 0xFFFFu, b_high = (uint32_t)b >> 16;
    const uint32_t low = a_low * b_low;
    const uint32_t one = a_high * b_low + (low >> 16);
    const uint32_t two = a_low * b_high + (one & 0xFFFFu);
    const uint32_t high = a_high * b_high + (one >> 16) + (two >> 16);
    const uint32_t upper = (uint32_t)(a >> 32) * (uint32_t)b + (uint32_t)a * (uint32_t)(b >> 32);

    return (uint64_t)(high + upper) << 32 | (two << 16 | (low & 0xFFFFu));
}
