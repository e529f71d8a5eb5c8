#include "ein_nn_pool.h"

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

void ein_nn_max_pool(const ein_nn_pool_t *layer, const int8_t *in, int8_t *out)
{
    const int32_t channels = layer->channels;

    for (int32_t p = 0; p < layer->out_length; p++) {
        const rows_t rows = window(layer, p);

        for (int32_t c = 0; c < channels; c++) {
            int32_t best = INT8_MIN;

            for (int32_t row = rows.begin; row < rows.end; row++) {
                const int32_t value = in[row * channels + c];
                best = value > best ? value : best;
            }
            *out++ = ein_nn_clamp(best, layer->act_min, layer->act_max);
        }
    }
}

void ein_nn_average_pool(const ein_nn_pool_t *layer, const int8_t *in, int8_t *out)
{
    const int32_t channels = layer->channels;

    for (int32_t p = 0; p < layer->out_length; p++) {
        const rows_t rows = window(layer, p);
        const int32_t count = rows.end - rows.begin;

        for (int32_t c = 0; c < channels; c++) {
            int32_t sum = 0;

            for (int32_t row = rows.begin; row < rows.end; row++)
                sum += in[row * channels + c];
            sum = (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
            *out++ = ein_nn_clamp(sum, layer->act_min, layer->act_max);
        }
    }
}
