/* The last 2.8 s of the band-passed signal, in microvolts (int16, saturated by whoever pushes).
 *
 * The ring's time is the time of the input: the filter's delay is taken off by the core, so the
 * ring ends EIN_FILTER_BANDPASS_DELAY_SAMPLES behind the newest input sample. Times before the
 * first sample read 0. RAM: 1032 B.
 */
#ifndef EIN_RING_H
#define EIN_RING_H

#include <stdbool.h>
#include <stdint.h>

#define EIN_RING_SAMPLES 512u

typedef struct {
    uint32_t end_samples; /* time of the sample that comes next; the newest held is end - 1 */
    bool full;            /* it holds samples of time 0 and later only: set by the core */
    int16_t uv[EIN_RING_SAMPLES];
} ein_ring_t;

/* The signal at time t, for end - EIN_RING_SAMPLES <= t < end (not checked: other times alias). */
static inline int16_t ein_ring_at(const ein_ring_t *ring, uint32_t t_samples)
{
    return ring->uv[t_samples & (EIN_RING_SAMPLES - 1u)];
}

static inline void ein_ring_push(ein_ring_t *ring, int16_t uv)
{
    const uint32_t end = ring->end_samples;
    ring->uv[end & (EIN_RING_SAMPLES - 1u)] = uv;
    ring->end_samples = end + 1u;
}

#endif
