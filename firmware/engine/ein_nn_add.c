#include "ein_nn_add.h"

void ein_nn_add(const ein_nn_add_t *layer, const int8_t *a, const int8_t *b, int8_t *out)
{
    const ein_nn_add_t l = *layer;

    for (int32_t i = 0; i < l.size; i++) {
        const int32_t from_a = (a[i] - l.a_zero) * (1 << 19);
        const int32_t from_b =
            ein_nn_rescale((b[i] - l.b_zero) * (1 << 20), l.b_multiplier, 0, l.b_right);
        const int32_t sum = ein_nn_rescale(from_a + from_b, l.out_multiplier, 0, l.out_right);

        out[i] = ein_nn_clamp(sum + l.out_zero, l.act_min, l.act_max);
    }
}
