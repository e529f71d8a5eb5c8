#include "ein_nn_plane.h"

/* The input position that a tap sees; negative where there is none. */
static inline int32_t seen(const ein_nn_axis_t *axis, int32_t position, int32_t tap)
{
    int32_t at = position * axis->stride + tap * axis->dilation - axis->pad;

    if (at < 0)
        return -1;
    if (axis->up > 1) {
        if (at % axis->up != 0)
            return -1;
        at /= axis->up;
    }
    return at < axis->in ? at : -1;
}

/* Sum of one output value's products. `in` and `weights` are those of its group and channel. */
static int32_t sum_of(const ein_nn_conv_2d_t *l, const int8_t *in, const int8_t *weights, int32_t y,
                      int32_t x)
{
    const int32_t channels = l->in_channels / l->groups;
    int32_t sum = 0;

    for (int32_t ty = 0; ty < l->y.kernel; ty++) {
        const int32_t row = seen(&l->y, y, ty);

        for (int32_t tx = 0; tx < l->x.kernel; tx++, weights += channels) {
            const int32_t column = seen(&l->x, x, tx);
            const int8_t *from;

            if (row < 0 || column < 0)
                continue;
            from = in + (row * l->x.in + column) * l->in_channels;
            for (int32_t c = 0; c < channels; c++)
                sum += (from[c] - l->in_zero) * weights[c];
        }
    }
    return sum;
}

void ein_nn_conv_2d(const ein_nn_conv_2d_t *layer, const int8_t *in, int8_t *out)
{
    const ein_nn_conv_2d_t *l = layer;
    const int32_t in_group = l->in_channels / l->groups, out_group = l->out_channels / l->groups;
    const int32_t size = l->y.kernel * l->x.kernel * in_group; /* weights of an output channel */

    for (int32_t y = 0; y < l->y.out; y++) {
        for (int32_t x = 0; x < l->x.out; x++) {
            for (int32_t c = 0; c < l->out_channels; c++) {
                const ein_nn_scale_t *scale = &l->scales[c];
                int32_t sum = scale->bias;

                sum += sum_of(l, in + c / out_group * in_group, l->weights + c * size, y, x);
                sum = ein_nn_rescale(sum, scale->multiplier, scale->left, scale->right);
                *out++ = ein_nn_clamp(sum + l->out_zero, l->act_min, l->act_max);
            }
        }
    }
}

/* What a window sees of one channel. */
typedef struct {
    int32_t sum, best, count;
} ein_nn_seen_t;

static ein_nn_seen_t look(const ein_nn_pool_2d_t *l, const int8_t *in, int32_t y, int32_t x)
{
    ein_nn_seen_t found = {0, INT8_MIN, 0};

    for (int32_t ty = 0; ty < l->y.kernel; ty++) {
        const int32_t row = seen(&l->y, y, ty);

        for (int32_t tx = 0; tx < l->x.kernel; tx++) {
            const int32_t column = seen(&l->x, x, tx);

            if (row >= 0 && column >= 0) {
                const int32_t value = in[(row * l->x.in + column) * l->channels];

                found.sum += value;
                found.best = value > found.best ? value : found.best;
                found.count++;
            }
        }
    }
    return found;
}

void ein_nn_max_pool_2d(const ein_nn_pool_2d_t *layer, const int8_t *in, int8_t *out)
{
    for (int32_t y = 0; y < layer->y.out; y++)
        for (int32_t x = 0; x < layer->x.out; x++)
            for (int32_t c = 0; c < layer->channels; c++)
                *out++ =
                    ein_nn_clamp(look(layer, in + c, y, x).best, layer->act_min, layer->act_max);
}

void ein_nn_average_pool_2d(const ein_nn_pool_2d_t *layer, const int8_t *in, int8_t *out)
{
    for (int32_t y = 0; y < layer->y.out; y++) {
        for (int32_t x = 0; x < layer->x.out; x++) {
            for (int32_t c = 0; c < layer->channels; c++) {
                const ein_nn_seen_t found = look(layer, in + c, y, x);
                const int32_t half = found.count / 2;
                const int32_t sum = found.sum > 0 ? found.sum + half : found.sum - half;

                *out++ = ein_nn_clamp(sum / found.count, layer->act_min, layer->act_max);
            }
        }
    }
}
