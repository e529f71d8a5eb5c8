#include "ein_nn_pair.h"

#define FRACTION_BITS 20

static inline int32_t rescale(const ein_nn_factor_t *factor, int32_t x)
{
    return ein_nn_rescale(x, factor->multiplier, factor->left, factor->right);
}

/* One value of each input, without its zero point. */
typedef int32_t (*combine_t)(const ein_nn_pair_t *layer, int32_t a, int32_t b);

static inline void each(const ein_nn_pair_t *l, const int8_t *a, const int8_t *b, int8_t *out,
                        combine_t combine)
{
    for (int32_t row = 0; row < l->rows; row++) {
        const int8_t *x = a + row * l->a_row, *y = b + row * l->b_row;

        for (int32_t n = l->columns; n > 0; n--, x += l->a_column, y += l->b_column)
            *out++ = ein_nn_clamp(combine(l, *x - l->a_zero, *y - l->b_zero) + l->out_zero,
                                  l->act_min, l->act_max);
    }
}

static inline int32_t product(const ein_nn_pair_t *l, int32_t a, int32_t b)
{
    return rescale(&l->factors[0], a * b);
}

static inline int32_t sum(const ein_nn_pair_t *l, int32_t a, int32_t b)
{
    const int32_t x = rescale(&l->factors[0], a * (1 << FRACTION_BITS));
    const int32_t y = rescale(&l->factors[1], b * (1 << FRACTION_BITS));

    return rescale(&l->factors[2], l->subtract ? x - y : x + y);
}

static inline int32_t leaky(const ein_nn_pair_t *l, int32_t a, int32_t b)
{
    return a >= 0 ? rescale(&l->factors[0], a) : rescale(&l->factors[1], a * b);
}

void ein_nn_mul(const ein_nn_pair_t *layer, const int8_t *a, const int8_t *b, int8_t *out)
{
    each(layer, a, b, out, product);
}

void ein_nn_sum(const ein_nn_pair_t *layer, const int8_t *a, const int8_t *b, int8_t *out)
{
    each(layer, a, b, out, sum);
}

void ein_nn_prelu(const ein_nn_pair_t *layer, const int8_t *a, const int8_t *b, int8_t *out)
{
    each(layer, a, b, out, leaky);
}
