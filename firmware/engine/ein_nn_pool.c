#include "ein_nn_pool.h"

#include "ein_nn_avx2.h"
#include "ein_nn_dsp.h"
#include "ein_nn_mve.h"

typedef struct {
    int32_t begin, end;
} rows_t;

/* The input rows that output position p sees. */
static rows_t window(const ein_nn_pool_t *l, int32_t p)
{
    rows_t rows = {p * l->stride - l->pad_left, 0};

    rows.end = rows.begin + l->kernel;
    rows.begin = rows.begin < 0 ? 0 : rows.begin;
    rows.end = rows.end > l->in_length ? l->in_length : rows.end;
    return rows;
}

#if EIN_NN_DSP
/* Four channels at a time; in blocks of four, `out` may still overlap `in` as for single values. */
static void max_pool_dsp(const ein_nn_pool_t *layer, const int8_t *in, int8_t *out, int32_t first,
                         int32_t rows)
{
    const int32_t channels = layer->channels;

    for (int32_t p = first; p < first + rows; p++) {
        const rows_t seen = window(layer, p);
        const int8_t *from = in + seen.begin * channels;
        const int8_t *const end = from + channels;

        if (seen.end - seen.begin == 2) { /* the usual case, without a loop over the rows */
            for (const int8_t *second = end; from != end; from += 4, second += 4, out += 4) {
                const uint32_t best =
                    ein_nn_dsp_max4(ein_nn_dsp_read(from), ein_nn_dsp_read(second));

                __builtin_memcpy(out, &best, sizeof best);
            }
            continue;
        }
        for (; from != end; from += 4, out += 4) {
            uint32_t best = ein_nn_dsp_read(from);

            for (int32_t row = 1; row < seen.end - seen.begin; row++)
                best = ein_nn_dsp_max4(best, ein_nn_dsp_read(from + row * channels));
            __builtin_memcpy(out, &best, sizeof best);
        }
    }
}
#endif

#if EIN_NN_AVX2
/* Eight channels at a time: what `out` may overlap of `in` has been read by then. */
static void max_pool_avx2(const ein_nn_pool_t *layer, const int8_t *in, int8_t *out, int32_t first,
                          int32_t rows)
{
    const int32_t channels = layer->channels;

    for (int32_t p = first; p < first + rows; p++) {
        const rows_t seen = window(layer, p);

        for (int32_t c = 0; c < channels; c += 8, out += 8) {
            const int8_t *from = in + seen.begin * channels + c;
            __m128i best = _mm_loadl_epi64((const __m128i *)from);

            for (int32_t left = seen.end - seen.begin - 1; left > 0; left--) {
                from += channels;
                best = _mm_max_epi8(best, _mm_loadl_epi64((const __m128i *)from));
            }
            _mm_storel_epi64((__m128i *)out, best);
        }
    }
}
#endif

#if EIN_NN_MVE
/* Sixteen channels of n at a time, the largest of `rows`, two or more: what `out` may overlap of
 * `in` has been read by then. */
static void largest(const int8_t *in, int8_t *out, int32_t n, int32_t rows)
{
    const int8_t *row;
    int32_t left;

    __asm volatile("dlstp.8 lr, %[n]\n"
                   "1:\n"
                   "add %[row], %[in], %[n]\n"
                   "vldrb.u8 q0, [%[in]], #16\n"
                   "vldrb.u8 q1, [%[row]]\n"
                   "subs %[left], %[rows], #2\n"
                   "vmax.s8 q0, q0, q1\n"
                   "beq 3f\n"
                   "2:\n"
                   "add %[row], %[row], %[n]\n"
                   "vldrb.u8 q1, [%[row]]\n"
                   "subs %[left], %[left], #1\n"
                   "vmax.s8 q0, q0, q1\n"
                   "bne 2b\n"
                   "3:\n"
                   "vstrb.8 q0, [%[out]], #16\n"
                   "letp lr, 1b\n"
                   : [in] "+r"(in), [out] "+r"(out), [row] "=&r"(row), [left] "=&r"(left)
                   : [n] "r"(n), [rows] "r"(rows)
                   : "lr", "q0", "q1", "cc", "memory");
}

static void max_pool_mve(const ein_nn_pool_t *layer, const int8_t *in, int8_t *out, int32_t first,
                         int32_t rows)
{
    const int32_t channels = layer->channels;

    for (int32_t p = first; p < first + rows; p++, out += channels) {
        const rows_t seen = window(layer, p);
        const int8_t *const from = in + seen.begin * channels;

        if (seen.end - seen.begin == 1)
            ein_nn_mve_copy(out, from, channels);
        else
            largest(from, out, channels, seen.end - seen.begin);
    }
}
#endif

void ein_nn_max_pool(const ein_nn_pool_t *layer, const int8_t *in, int8_t *out)
{
    ein_nn_max_pool_rows(layer, in, out, 0, layer->out_length);
}

void ein_nn_average_pool(const ein_nn_pool_t *layer, const int8_t *in, int8_t *out)
{
    ein_nn_average_pool_rows(layer, in, out, 0, layer->out_length);
}

void ein_nn_max_pool_rows(const ein_nn_pool_t *layer, const int8_t *in, int8_t *out, int32_t first,
                          int32_t rows)
{
    const int32_t channels = layer->channels, end = first + rows;

    out += first * channels;
#if EIN_NN_MVE
    if (layer->act_min == INT8_MIN && layer->act_max == INT8_MAX) {
        max_pool_mve(layer, in, out, first, rows);
        return;
    }
#elif EIN_NN_DSP
    if (channels % 4 == 0 && layer->act_min == INT8_MIN && layer->act_max == INT8_MAX) {
        max_pool_dsp(layer, in, out, first, rows);
        return;
    }
#elif EIN_NN_AVX2
    if (channels % 8 == 0 && layer->act_min == INT8_MIN && layer->act_max == INT8_MAX) {
        max_pool_avx2(layer, in, out, first, rows);
        return;
    }
#endif

    for (int32_t p = first; p < end; p++) {
        const rows_t seen = window(layer, p);

        for (int32_t c = 0; c < channels; c++) {
            const int8_t *from = in + seen.begin * channels + c;
            int32_t best = *from;

            for (int32_t left = seen.end - seen.begin - 1; left > 0; left--) {
                from += channels;
                best = *from > best ? *from : best;
            }
            *out++ = ein_nn_clamp(best, layer->act_min, layer->act_max);
        }
    }
}

void ein_nn_average_pool_rows(const ein_nn_pool_t *layer, const int8_t *in, int8_t *out,
                              int32_t first, int32_t rows)
{
    const int32_t channels = layer->channels, end = first + rows;

    out += first * channels;
    for (int32_t p = first; p < end; p++) {
        const rows_t seen = window(layer, p);
        const int32_t count = seen.end - seen.begin;

        for (int32_t c = 0; c < channels; c++) {
            int32_t sum = 0;

            for (int32_t row = seen.begin; row < seen.end; row++)
                sum += in[row * channels + c];
            sum = (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
            *out++ = ein_nn_clamp(sum, layer->act_min, layer->act_max);
        }
    }
}
