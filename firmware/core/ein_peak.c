#include "ein_peak.h"
#include "ein_time.h"

uint32_t ein_peak_r(const ein_ring_t *ring, uint32_t top_samples, uint32_t start_samples)
{
    uint32_t centre = top_samples - EIN_QRS_DELAY_SAMPLES;
    uint32_t from = centre - EIN_QRS_REACH_SAMPLES;
    uint32_t to = centre + EIN_QRS_REACH_SAMPLES;
    if (ein_time_before(from, start_samples))
        from = start_samples;
    uint32_t best_t = from;
    int32_t best = -1;
    for (uint32_t t = from; !ein_time_before(to, t); t++) {
        int32_t stands_out = 3 * ein_ring_at(ring, t) - ein_ring_at(ring, t - EIN_QRS_ARM_SAMPLES) -
                             ein_ring_at(ring, t + EIN_QRS_ARM_SAMPLES);
        if (stands_out < 0)
            stands_out = -stands_out * EIN_QRS_DOWNWARD_Q4 / 16;
        if (stands_out > best) {
            best = stands_out;
            best_t = t;
        }
    }
    return best_t;
}

static uint16_t largest_q(const ein_energy_t *energy, uint32_t from, uint32_t to)
{
    uint16_t largest = 0;
    for (uint32_t i = from; i != to; i++) {
        uint16_t q = energy->q[i % EIN_ENERGY_SAMPLES];
        if (q > largest)
            largest = q;
    }
    return largest;
}

static uint16_t steepest_uv(const ein_ring_t *ring, uint32_t r_samples)
{
    uint32_t steepest = 0;
    uint32_t to = r_samples + EIN_QRS_REACH_SAMPLES;
    for (uint32_t t = r_samples - EIN_QRS_REACH_SAMPLES; t != to; t++) {
        uint32_t rise = ein_magnitude(ein_ring_at(ring, t + 1u) - ein_ring_at(ring, t - 1u));
        if (rise > steepest)
            steepest = rise;
    }
    return (uint16_t)steepest; /* two int16 differ by at most UINT16_MAX */
}

ein_peak_t ein_peak_measure(const ein_energy_t *energy, const ein_ring_t *ring, uint32_t r_samples,
                            uint32_t energy_max, uint32_t top_samples)
{
    const uint32_t split = top_samples + 1u;
    return (ein_peak_t){
        .r_samples = r_samples,
        .energy = energy_max,
        .slope = steepest_uv(ring, r_samples),
        .own = largest_q(energy, split - EIN_QRS_SUM_SAMPLES, split),
        .after = largest_q(energy, split, ring->end_samples),
    };
}
