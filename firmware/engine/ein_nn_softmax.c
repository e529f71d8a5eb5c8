#include "ein_nn_softmax.h"

#define ONE INT32_MAX /* 1.0 in Q0.31 as near as it goes */

#define mul ein_nn_doubling_high_mul

/* exp(a) in Q0.31 for a in [-1/4, 0) in Q0.31. */
static int32_t exp_of_quarter(int32_t a)
{
    const int32_t exp_of_minus_eighth = 1895147668, third = 715827883;
    const int32_t x = a + (1 << 28); /* around -1/8 */
    const int32_t x2 = mul(x, x), x3 = mul(x2, x), x4 = mul(x2, x2);
    const int32_t tail = mul(ein_nn_rounding_shift(x4, 2) + x3, third) + x2;

    return exp_of_minus_eighth + mul(exp_of_minus_eighth, x + ein_nn_rounding_shift(tail, 1));
}

/* exp(a) in Q0.31 for a <= 0 in Q5.26. */
static int32_t exp_of_negative(int32_t a)
{
    /* exp(-2^k), k = -2 .. 4 */
    static const int32_t powers[] = {1672461947, 1302514674, 790015084, 290630308,
                                     39332535,   720401,     242};
    const int32_t quarter = 1 << 24;
    const int32_t fraction = (a & (quarter - 1)) - quarter; /* [-1/4, 0) */
    const int32_t whole = fraction - a;                     /* quarters, >= 0 */
    int32_t result = exp_of_quarter(fraction * (1 << 5));

    for (int32_t k = 0; k < 7; k++)
        if (whole & (quarter << k))
            result = mul(result, powers[k]);
    return a == 0 ? ONE : result;
}

/* 1 / (1 + x) in Q0.31 for x in [0, 1) in Q0.31. */
static int32_t reciprocal_of_one_plus(int32_t x)
{
    const int32_t two_and_14_17ths = 1515870810,
                  minus_one_and_15_17ths = -1010580540;         /* 48/17, -32/17 in Q2.29 */
    const int32_t half = (int32_t)(((int64_t)x + ONE + 1) / 2); /* (1 + x) / 2 */
    int32_t y = two_and_14_17ths + mul(half, minus_one_and_15_17ths);

    for (int32_t i = 0; i < 3; i++) {
        const int32_t error = (1 << 29) - mul(half, y);
        y += mul(y, error) * 4; /* Q4.27 to Q2.29; |y * error| < 1 */
    }
    return y > INT32_MAX / 2 ? INT32_MAX : y * 2; /* half of y in Q0.31 */
}

static uint32_t leading_zeros(uint32_t x)
{
    uint32_t n = 0;

    while (n < 32 && !(x & (1u << (31 - n))))
        n++;
    return n;
}

static int32_t exp_of_difference(const ein_nn_softmax_t *l, int32_t difference)
{
    return exp_of_negative(ein_nn_rescale(difference, l->multiplier, l->left, 0));
}

static void softmax_row(const ein_nn_softmax_t *l, const int8_t *in, int8_t *out)
{
    int32_t max = INT8_MIN, sum = 0;

    for (int32_t c = 0; c < l->channels; c++)
        max = in[c] > max ? in[c] : max;
    for (int32_t c = 0; c < l->channels; c++)
        if (in[c] - max >= l->diff_min)
            sum += ein_nn_rounding_shift(exp_of_difference(l, in[c] - max), 12);

    /* sum = 2^(12 - zeros) * (1 + x): bring x out, and 1/sum as a Q0.31 number and an exponent */
    const uint32_t zeros = leading_zeros((uint32_t)sum);
    const int32_t scale = reciprocal_of_one_plus((int32_t)(((uint32_t)sum << zeros) - (1u << 31)));

    for (int32_t c = 0; c < l->channels; c++) {
        const int32_t difference = in[c] - max;
        int32_t value = INT8_MIN;

        if (difference >= l->diff_min) {
            const int32_t product = mul(scale, exp_of_difference(l, difference));
            value += ein_nn_rounding_shift(product, 12 - zeros + 31 - 8);
        }
        out[c] = ein_nn_clamp(value, INT8_MIN, INT8_MAX);
    }
}

void ein_nn_softmax(const ein_nn_softmax_t *layer, const int8_t *in, int8_t *out)
{
    for (int32_t row = 0; row < layer->length; row++)
        softmax_row(layer, in + row * layer->channels, out + row * layer->channels);
}
