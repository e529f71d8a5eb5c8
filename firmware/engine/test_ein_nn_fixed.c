/* The fixed-point arithmetic against its definition, in 64 bits and with divisions. */
#include <stdio.h>
#include <stdlib.h>

#include "ein_nn_conv_finish.h"

static int failures;

static void expect(int64_t got, int64_t wanted, const char *what, int64_t a, int64_t b)
{
    if (got != wanted && failures++ < 10)
        printf("%s(%lld, %lld) = %lld, should be %lld\n", what, (long long)a, (long long)b,
               (long long)got, (long long)wanted);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* a / 2^n, halves away from zero. */
static int64_t away(int64_t a, uint32_t n)
{
    const int64_t half = (int64_t)1 << n >> 1, magnitude = a < 0 ? -a : a;
    const int64_t rounded = (magnitude + half) >> n;

    return a < 0 ? -rounded : rounded;
}

static int32_t noise(void)
{
    static uint32_t state = 1;

    state = state * 1664525u + 1013904223u;
    return (int32_t)(state ^ (state >> 13));
}

static const int32_t edges[] = {
    INT32_MIN, INT32_MIN + 1, -(1 << 30) - 1, -(1 << 30), -(1 << 29),    -3,       -2, -1, 0, 1, 2,
    3,         (1 << 29),     (1 << 30) - 1,  (1 << 30),  INT32_MAX - 1, INT32_MAX};

#define N_EDGES ((int32_t)(sizeof edges / sizeof *edges))

/* The edges, then noise of all magnitudes. */
static int32_t pick(int32_t i)
{
    return i < N_EDGES ? edges[i] : noise() >> (i % 31);
}

int main(void)
{
    const int64_t two31 = (int64_t)1 << 31;

    for (int32_t i = 0; i < 20000; i++) {
        const int32_t x = pick(i), m = pick(i / 7) & INT32_MAX;
        const uint32_t shift = (uint32_t)i % 32;
        const int64_t high = floor_div((int64_t)x * m + (two31 >> 1), two31);

        expect(ein_nn_doubling_high_mul(x, m), high, "doubling_high_mul", x, m);
        expect(ein_nn_high_mul(x, m), floor_div((int64_t)x * m + two31, 2 * two31), "high_mul", x,
               m);
        expect(ein_nn_rounding_shift(x, shift), away(x, shift), "rounding_shift", x, shift);
        expect(ein_nn_rescale(x, m, 0, shift), away(high, shift), "rescale", x, m);
        expect(ein_nn_saturate(x), x < -128 ? -128 : x > 127 ? 127 : x, "saturate", x, 0);
        expect(ein_nn_clamp(x, -5, 100), x < -5 ? -5 : x > 100 ? 100 : x, "clamp", x, 0);

        /* the short way to finish a sum is the long one wherever it is allowed */
        const int32_t sum =
            x >= 0 ? x % (1 << 30) : -(int32_t)(((uint32_t)0 - (uint32_t)x) % (1u << 30));
        const ein_nn_scale_t scale = {0, m, 0, (uint8_t)(1 + i % 22)};
        const int32_t zero = i % 256 - 128;
        const ein_nn_rest_t rest = ein_nn_rest(&scale, zero);
        const int64_t value =
            away(floor_div((int64_t)sum * m + (two31 >> 1), two31), scale.right) + zero;

        expect(ein_nn_finish(&rest, sum),
               value < -128  ? -128
               : value > 127 ? 127
                             : value,
               "finish", sum, m);
    }
    return failures != 0;
}
