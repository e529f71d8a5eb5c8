#include "ein_nn_add.h"

#include "ein_nn_avx2.h"

/* What add_one needs: as much as fits a Cortex-M's registers beside pointers and sums. */
typedef struct {
    int32_t a_offset, b_offset, b_multiplier, b_half, b_right;
    int32_t out_multiplier, rounding, out_right;
} small_t;

static inline int8_t add_one(const small_t *s, int32_t a, int32_t b)
{
    const int32_t x = ein_nn_rescale_doubled(b * (1 << 21) + s->b_offset, s->b_multiplier,
                                             s->b_half, (uint32_t)s->b_right);
    const int32_t sum = a * (1 << 20) + s->a_offset + x * 2;

    return ein_nn_saturate(
        ein_nn_rescale_doubled(sum, s->out_multiplier, s->rounding, (uint32_t)s->out_right));
}

#if EIN_NN_AVX2
/* add_one for eight values. `out` may be `a` or `b`, or begin before them: all eight are read
 * first. */
static __m128i add_eight(const small_t *s, const int8_t *a, const int8_t *b)
{
    const __m256i from_a = _mm256_slli_epi32(ein_nn_avx2_widen(a), 20);
    const __m256i from_b = _mm256_slli_epi32(ein_nn_avx2_widen(b), 21);
    __m256i x = ein_nn_avx2_high_mul(_mm256_add_epi32(from_b, _mm256_set1_epi32(s->b_offset)),
                                     _mm256_set1_epi32(s->b_multiplier));

    x = ein_nn_avx2_round(x, _mm256_set1_epi32(s->b_half), _mm256_set1_epi32(s->b_right));
    x = _mm256_add_epi32(_mm256_add_epi32(from_a, _mm256_set1_epi32(s->a_offset)),
                         _mm256_add_epi32(x, x));
    x = ein_nn_avx2_high_mul(x, _mm256_set1_epi32(s->out_multiplier));
    return ein_nn_avx2_narrow(
        ein_nn_avx2_round(x, _mm256_set1_epi32(s->rounding), _mm256_set1_epi32(s->out_right)));
}
#endif

void ein_nn_add(const ein_nn_add_t *layer, const int8_t *a, const int8_t *b, int8_t *out)
{
    ein_nn_add_rows(layer, a, b, out, 0, layer->size);
}

#if EIN_NN_MVE
void ein_nn_add_rows(const ein_nn_add_t *layer, const int8_t *a, const int8_t *b, int8_t *out,
                     int32_t first, int32_t size)
{
    ein_nn_add_mve(layer, a + first, b + first, out + first, size);
}
#else
/* Terms are doubled, as ein_nn_high_mul wants them. */
void ein_nn_add_rows(const ein_nn_add_t *layer, const int8_t *a, const int8_t *b, int8_t *out,
                     int32_t first, int32_t size)
{
    const ein_nn_add_t *const l = layer;
    const small_t s = {
        -l->a_zero * (1 << 20),
        -l->b_zero * (1 << 21),
        l->b_multiplier,
        1 << (l->b_right - 1),
        l->b_right,
        l->out_multiplier,
        l->out_zero * (1 << l->out_right) + (1 << (l->out_right - 1)),
        l->out_right,
    };
    int8_t *const begin = out + first;

    a += first;
    b += first;
    out += first;
#if EIN_NN_AVX2
    for (const int8_t *const end = begin + size / 8 * 8; out != end; out += 8, a += 8, b += 8)
        ein_nn_avx2_store(out, add_eight(&s, a, b), 8);
#endif
    for (const int8_t *const end = begin + size / 4 * 4; out != end; out += 4) {
        out[0] = add_one(&s, *a++, *b++);
        out[1] = add_one(&s, *a++, *b++);
        out[2] = add_one(&s, *a++, *b++);
        out[3] = add_one(&s, *a++, *b++);
    }
    for (const int8_t *const end = begin + size; out != end;)
        *out++ = add_one(&s, *a++, *b++);
    ein_nn_activate(begin, size, l->act_min, l->act_max);
}
#endif

void ein_nn_add_any(const ein_nn_add_t *layer, const int8_t *a, const int8_t *b, int8_t *out)
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
