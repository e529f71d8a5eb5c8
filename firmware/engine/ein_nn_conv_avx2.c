/* The convolution's inner loop on a host with AVX2: eight output channels for up to eight positions
   at a time, two products a lane and instruction (VPMADDWD). */
#include "ein_nn_avx2.h"
#include "ein_nn_conv.h"
#include "ein_nn_conv_finish.h"

#if EIN_NN_AVX2

#define LANES EIN_NN_AVX2_LANES

/* Sums stay in registers only if the loops over positions are no loops; clang sees that itself. */
#ifdef __clang__
#define UNROLL
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

/* Of eight channels. The weights stay as the target without DSP instructions has them, two channels
   apart: a second copy for hosts only would be as large as the model. */
typedef struct {
    const int8_t *pairs[LANES / 2];
    __m256i bias, multiplier, rounding, right;
    int32_t channels; /* that there are: 1 to 8 */
} block_t;

static block_t block(const ein_nn_conv_t *l, int32_t first)
{
    const int32_t left = l->out_channels - first;
    int32_t bias[LANES] = {0}, multiplier[LANES] = {0}, rounding[LANES] = {0}, right[LANES] = {0};
    block_t b = {.channels = left < LANES ? left : LANES};

    for (int32_t i = 0; i < b.channels; i++) {
        const ein_nn_scale_t *scale = &l->scales[first + i];
        const ein_nn_rest_t rest = ein_nn_rest(scale, l->out_zero);

        bias[i] = scale->bias;
        multiplier[i] = rest.multiplier;
        rounding[i] = rest.rounding - EIN_NN_REST_OFFSET * (1 << rest.right);
        right[i] = (int32_t)rest.right;
    }
    for (int32_t i = 0; i < LANES / 2;
         i++) /* of channels that there are not, the first ones again */
        b.pairs[i] =
            (const int8_t *)l->weights + (first + (2 * i < b.channels ? 2 * i : 0)) * l->depth;
    b.bias = _mm256_loadu_si256((const __m256i *)bias);
    b.multiplier = _mm256_loadu_si256((const __m256i *)multiplier);
    b.rounding = _mm256_loadu_si256((const __m256i *)rounding);
    b.right = _mm256_loadu_si256((const __m256i *)right);
    return b;
}

/* Four weights of eight channels as halfwords: the first two of each, and the last two. */
static inline void weights_at(const block_t *b, int32_t k, __m256i *first, __m256i *last)
{
    /* Bytes of a pair of channels lie in the order 0, 2, 1, 3. */
    const __m128i sort = _mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15);
    const __m128i low = _mm_shuffle_epi8(
        _mm_unpacklo_epi64(_mm_loadl_epi64((const __m128i *)(b->pairs[0] + 2 * k)),
                           _mm_loadl_epi64((const __m128i *)(b->pairs[1] + 2 * k))),
        sort);
    const __m128i high = _mm_shuffle_epi8(
        _mm_unpacklo_epi64(_mm_loadl_epi64((const __m128i *)(b->pairs[2] + 2 * k)),
                           _mm_loadl_epi64((const __m128i *)(b->pairs[3] + 2 * k))),
        sort);

    *first = _mm256_cvtepi8_epi16(_mm_unpacklo_epi64(low, high));
    *last = _mm256_cvtepi8_epi16(_mm_unpackhi_epi64(low, high));
}

/* Two input values in every lane. */
static inline __m256i both(const int16_t *x)
{
    int32_t pair;

    __builtin_memcpy(&pair, x, sizeof pair);
    return _mm256_set1_epi32(pair);
}

/* `positions` is a constant wherever this is called, so that the sums are registers. */
static inline __attribute__((always_inline)) void
convolve(const ein_nn_conv_t *l, const block_t *b, const int16_t *x, int8_t *to, int32_t positions)
{
    __m256i sums[LANES];

    UNROLL
    for (int32_t p = 0; p < positions; p++)
        sums[p] = b->bias;
    for (int32_t k = 0; k < l->depth; k += 4) {
        __m256i first, last;

        weights_at(b, k, &first, &last);
        UNROLL
        for (int32_t p = 0; p < positions; p++) {
            const int16_t *const at = x + p * l->step + k;

            sums[p] = _mm256_add_epi32(sums[p], _mm256_madd_epi16(both(at), first));
            sums[p] = _mm256_add_epi32(sums[p], _mm256_madd_epi16(both(at + 2), last));
        }
    }
    UNROLL
    for (int32_t p = 0; p < positions; p++) {
        const __m256i doubled = _mm256_add_epi32(sums[p], sums[p]);
        const __m256i high = ein_nn_avx2_high_mul(doubled, b->multiplier);
        const __m256i values = ein_nn_avx2_round(high, b->rounding, b->right);

        ein_nn_avx2_store(to + p * l->out_channels, ein_nn_avx2_narrow(values), b->channels);
    }
}

void ein_nn_conv_chunk_avx2(const ein_nn_conv_t *layer, const int16_t *columns, int32_t count,
                            int8_t *out)
{
    const int32_t channels = layer->out_channels, step = layer->step;

    for (int32_t c = 0; c < channels; c += LANES) {
        const block_t b = block(layer, c);
        int32_t n = 0;

        for (; n + 8 <= count; n += 8)
            convolve(layer, &b, columns + n * step, out + n * channels + c, 8);
        for (; n + 2 <= count; n += 2)
            convolve(layer, &b, columns + n * step, out + n * channels + c, 2);
        if (n < count)
            convolve(layer, &b, columns + n * step, out + n * channels + c, 1);
    }
    ein_nn_activate(out, count * channels, layer->act_min, layer->act_max);
}

#endif
