/* What the detector measures of a wave: the candidate for an R peak.
 *
 * ein_energy_step turns the band-passed signal into the energy of the QRS band: |q| summed over the
 * last EIN_QRS_SUM_SAMPLES, q being the signal behind the QRS filter in quarter microvolts,
 * saturated at 16 mV. ein_peak_r and ein_peak_measure describe the wave around a maximum of that
 * energy.
 */
#ifndef EIN_PEAK_H
#define EIN_PEAK_H

#include <stdbool.h>
#include <stdint.h>

#include "ein_filter.h"
#include "ein_fixed.h"
#include "ein_pipeline.h"
#include "ein_ring.h"

/* A power of two, more than the sum and the wait for the decision take together. */
#define EIN_ENERGY_SAMPLES 64u

typedef struct {
    ein_filter_t filter;
    uint32_t sum;                   /* of the newest EIN_QRS_SUM_SAMPLES */
    uint16_t q[EIN_ENERGY_SAMPLES]; /* by the ring's time, modulo their number */
} ein_energy_t;

typedef struct {
    uint32_t r_samples;
    uint32_t energy; /* at the maximum */
    uint16_t slope;  /* largest difference over two samples of the band-passed wave, microvolts */
    uint16_t own;    /* largest |q| up to the energy's maximum */
    uint16_t after;  /* largest |q| from there to the decision */
    bool is_beat;
} ein_peak_t;

/* The band-passed sample of the ring's time `now` in; true if the energy, energy->sum, below 2^21,
   rises by it. Times follow one another; zeroed, the filter is at rest and nothing was before. */
static inline bool ein_energy_step(ein_energy_t *energy, uint32_t now, int32_t uv_q8)
{
    const uint32_t q = ein_magnitude_q6(ein_filter_qrs(&energy->filter, uv_q8));
    const uint32_t oldest = energy->q[(now - EIN_QRS_SUM_SAMPLES) % EIN_ENERGY_SAMPLES];
    energy->q[now % EIN_ENERGY_SAMPLES] = (uint16_t)q;
    energy->sum += q - oldest;
    return q > oldest;
}

/* Where the wave that made an energy maximum at top_samples (the ring's time) has its R: the sample
   that stands out most from the signal EIN_QRS_ARM_SAMPLES to either side, plus its own height, so
   that a corner at the foot of a broad peak does not win over the peak. Downward excursions count
   EIN_QRS_DOWNWARD_Q4 / 16, so that a biphasic beat keeps to one of its peaks. Never before
   start_samples. Needs the ring to reach top_samples + EIN_QRS_SETTLE_SAMPLES. */
uint32_t ein_peak_r(const ein_ring_t *ring, uint32_t top_samples, uint32_t start_samples);

/* The wave whose energy had its maximum energy_max at top_samples (the ring's time). */
ein_peak_t ein_peak_measure(const ein_energy_t *energy, const ein_ring_t *ring, uint32_t r_samples,
                            uint32_t energy_max, uint32_t top_samples);

#endif
