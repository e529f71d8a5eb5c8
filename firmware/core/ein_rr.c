#include "ein_rr.h"

#include <string.h>

#include "ein_fixed.h"

static void order_push(ein_order_t *order, int16_t value)
{
    uint32_t n = order->count;
    uint32_t i = 0;
    if (n == EIN_ORDER_LENGTH) { /* take the oldest out */
        const int16_t oldest = order->ring[order->head];
        while (order->sorted[i] != oldest) {
            i++;
        }
        n--;
        for (; i < n; i++) {
            order->sorted[i] = order->sorted[i + 1u];
        }
    }
    i = n;
    for (; i > 0 && order->sorted[i - 1u] > value; i--) {
        order->sorted[i] = order->sorted[i - 1u];
    }
    order->sorted[i] = value;
    order->ring[order->head] = value;
    order->head = (uint8_t)((order->head + 1u) % EIN_ORDER_LENGTH);
    order->count = (uint8_t)(n + 1u);
}

int16_t ein_order_quantile(const ein_order_t *order, uint32_t quantile_32, int16_t otherwise)
{
    if (order->count == 0) {
        return otherwise;
    }
    return order->sorted[((order->count - 1u) * quantile_32 + 16u) / 32u];
}

void ein_rr_init(ein_rr_t *rr)
{
    memset(rr, 0, sizeof *rr);
    rr->mean_q16 = ein_rr_log_q8(EIN_RR_TYPICAL_SAMPLES) * 256;
    rr->slow_q16 = rr->mean_q16;
}

int16_t ein_rr_log_q8(uint32_t rr_samples)
{
    return ein_log2_q8(rr_samples < EIN_RR_MAX_SAMPLES ? rr_samples : EIN_RR_MAX_SAMPLES);
}

static int32_t follow(int32_t mean_q16, int16_t value_q8, uint32_t beats, uint32_t length)
{
    const int32_t n = (int32_t)(beats < length ? beats : length);
    return mean_q16 + (value_q8 * 256 - mean_q16) / n;
}

void ein_rr_push(ein_rr_t *rr, uint32_t rr_samples)
{
    const int16_t log_q8 = ein_rr_log_q8(rr_samples);
    if (rr->beats < UINT16_MAX) {
        rr->beats++;
    }
    rr->mean_q16 = follow(rr->mean_q16, log_q8, rr->beats, EIN_RR_MEAN_BEATS);
    rr->slow_q16 = follow(rr->slow_q16, log_q8, rr->beats, EIN_RR_SLOW_BEATS);
    order_push(&rr->rr, log_q8);
    ein_order_t *const steps[2] = {&rr->step1, &rr->step2};
    for (uint32_t lag = 0; lag < 2; lag++) {
        if (rr->before_q8[lag] != 0) {
            const int16_t step = (int16_t)(log_q8 - rr->before_q8[lag]);
            order_push(steps[lag], (int16_t)(step < 0 ? -step : step));
        }
    }
    rr->before_q8[1] = rr->before_q8[0];
    rr->before_q8[0] = log_q8;
}

void ein_rr_break(ein_rr_t *rr)
{
    rr->before_q8[0] = 0;
    rr->before_q8[1] = 0;
}

int16_t ein_rr_mean_q8(const ein_rr_t *rr)
{
    return (int16_t)(rr->mean_q16 / 256);
}

int16_t ein_rr_slow_q8(const ein_rr_t *rr)
{
    return (int16_t)(rr->slow_q16 / 256);
}
