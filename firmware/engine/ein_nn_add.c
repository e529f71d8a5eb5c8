#include "ein_nn_add.h"

#include "ein_nn_dsp.h"

#if EIN_NN_DSP
/* Twice the sum's terms are computed, for SMMULR to double nothing. out_right 1..22. */
static void add_dsp(const ein_nn_add_t *layer, const int8_t *a, const int8_t *b, int8_t *out)
{
    const ein_nn_add_t l = *layer;
    const int32_t a_offset = -l.a_zero * (1 << 20), b_offset = -l.b_zero * (1 << 21);
    const int32_t b_half = (1 << l.b_right) >> 1;
    const int32_t b_tie = l.b_right > 0 ? -1 : 0; /* a shift by 0 does not round */
    const int32_t rounding = l.out_zero * (1 << l.out_right) + (1 << (l.out_right - 1));

    for (int32_t i = 0; i < l.size; i++) {
        int32_t x = ein_nn_dsp_high_mul(b[i] * (1 << 21) + b_offset, l.b_multiplier);

        x = (x + ((x >> 31) & b_tie) + b_half) >> l.b_right;
        x = ein_nn_dsp_high_mul(a[i] * (1 << 20) + a_offset + x * 2, l.out_multiplier);
        out[i] = (int8_t)ein_nn_dsp_saturate8((x + (x >> 31) + rounding) >> l.out_right);
    }
    ein_nn_dsp_clamp(out, l.size, l.act_min, l.act_max);
}
#endif

void ein_nn_add(const ein_nn_add_t *layer, const int8_t *a, const int8_t *b, int8_t *out)
{
    const ein_nn_add_t l = *layer;

#if EIN_NN_DSP
    if (l.out_right >= 1 && l.out_right <= 22) {
        add_dsp(layer, a, b, out);
        return;
    }
#endif
    for (int32_t i = 0; i < l.size; i++) {
        const int32_t from_a = (a[i] - l.a_zero) * (1 << 19);
        const int32_t from_b =
            ein_nn_rescale((b[i] - l.b_zero) * (1 << 20), l.b_multiplier, 0, l.b_right);
        const int32_t sum = ein_nn_rescale(from_a + from_b, l.out_multiplier, 0, l.out_right);

        out[i] = ein_nn_clamp(sum + l.out_zero, l.act_min, l.act_max);
    }
}
