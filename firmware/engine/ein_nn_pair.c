#include "ein_nn_pair.h"

#define FRACTION_BITS 20

static inline int32_t rescale(const ein_nn_factor_t *factor, int32_t x)
{
    return ein_nn_rescale(x, factor->multiplier, factor->left, factor->right);
}

/* Of one value of each input, without its zero point. */
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

/* A macro, not a function that is given another: that would be a call through a pointer, whose
 * stack has no bound. */
#define EACH(combine)                                                                              \
    for (int32_t row = 0; row < layer->rows; row++) {                                              \
        const int8_t *x = a + row * layer->a_row, *y = b + row * layer->b_row;                     \
                                                                                                   \
        for (int32_t n = layer->columns; n > 0; n--) {                                             \
            const int32_t value = combine(layer, *x - layer->a_zero, *y - layer->b_zero);          \
                                                                                                   \
            *out++ = ein_nn_clamp(value + layer->out_zero, layer->act_min, layer->act_max);        \
            x += layer->a_column;                                                                  \
            y += layer->b_column;                                                                  \
        }                                                                                          \
    }

void ein_nn_mul(const ein_nn_pair_t *layer, const int8_t *a, const int8_t *b, int8_t *out)
{
    EACH(product)
}

void ein_nn_sum(const ein_nn_pair_t *layer, const int8_t *a, const int8_t *b, int8_t *out)
{
    EACH(sum)
}

void ein_nn_prelu(const ein_nn_pair_t *layer, const int8_t *a, const int8_t *b, int8_t *out)
{
    EACH(leaky)
}
