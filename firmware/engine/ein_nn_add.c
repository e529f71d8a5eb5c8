#include "ein_nn_add.h"

/* All steps with less than 30 bits and out_right 1..22: what the sums of any sane model are.
 *
 * Terms are doubled, as ein_nn_high_mul wants them. A b_right of 0 comes with equal scales only,
 * whose factor is exactly 1/2: it is taken as 1 of a term that is doubled once more, so that every
 * shift rounds alike.
 */
static void add_small(const ein_nn_add_t *layer, const int8_t *a, const int8_t *b, int8_t *out)
{
    const ein_nn_add_t l = *layer;
    const int32_t b_unit = l.b_right > 0 ? 1 << 21 : 1 << 22;
    const int32_t b_right = l.b_right > 0 ? l.b_right : 1;
    const int32_t a_offset = -l.a_zero * (1 << 20), b_offset = -l.b_zero * b_unit;
    const int32_t b_half = 1 << (b_right - 1);
    const int32_t rounding = l.out_zero * (1 << l.out_right) + (1 << (l.out_right - 1));

    for (int32_t i = 0; i < l.size; i++) {
        int32_t x = ein_nn_high_mul(b[i] * b_unit + b_offset, l.b_multiplier);

        x = (x + (x >> 31) + b_half) >> b_right;
        x = ein_nn_high_mul(a[i] * (1 << 20) + a_offset + x * 2, l.out_multiplier);
        out[i] = ein_nn_saturate((x + (x >> 31) + rounding) >> l.out_right);
    }
    ein_nn_activate(out, l.size, l.act_min, l.act_max);
}

void ein_nn_add(const ein_nn_add_t *layer, const int8_t *a, const int8_t *b, int8_t *out)
{
    const ein_nn_add_t l = *layer;

    if (l.out_right >= 1 && l.out_right <= 22 && l.b_right <= 28 &&
        (l.b_right || l.b_multiplier == 1 << 30)) {
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
