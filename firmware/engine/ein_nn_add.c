#include "ein_nn_add.h"

/* All steps with less than 30 bits and out_right 1..22: what the sums of any sane model are. */
static void add_small(const ein_nn_add_t *layer, const int8_t *a, const int8_t *b, int8_t *out)
{
    const ein_nn_add_t l = *layer;
    const int32_t a_offset = -l.a_zero * (1 << 19), b_offset = -l.b_zero * (1 << 20);
    const int32_t b_half = (1 << l.b_right) >> 1;
    const int32_t b_tie = l.b_right > 0 ? -1 : 0; /* a shift by 0 does not round */
    const int32_t rounding = l.out_zero * (1 << l.out_right) + (1 << (l.out_right - 1));

    for (int32_t i = 0; i < l.size; i++) {
        int32_t x = ein_nn_high_mul_small(b[i] * (1 << 20) + b_offset, l.b_multiplier);

        x = (x + ((x >> 31) & b_tie) + b_half) >> l.b_right;
        x = ein_nn_high_mul_small(a[i] * (1 << 19) + a_offset + x, l.out_multiplier);
        out[i] = ein_nn_saturate((x + (x >> 31) + rounding) >> l.out_right);
    }
    ein_nn_activate(out, l.size, l.act_min, l.act_max);
}

void ein_nn_add(const ein_nn_add_t *layer, const int8_t *a, const int8_t *b, int8_t *out)
{
    const ein_nn_add_t l = *layer;

    if (l.out_right >= 1 && l.out_right <= 22 && l.b_right <= 28) {
        add_small(layer, a, b, out);
        return;
    }
    for (int32_t i = 0; i < l.size; i++) {
        const int32_t from_a = (a[i] - l.a_zero) * (1 << 19);
        const int32_t from_b =
            ein_nn_rescale((b[i] - l.b_zero) * (1 << 20), l.b_multiplier, 0, l.b_right);
        const int32_t sum = ein_nn_rescale(from_a + from_b, l.out_multiplier, 0, l.out_right);

        out[i] = ein_nn_clamp(sum + l.out_zero, l.act_min, l.act_max);
    }
}
