/* R-peak detector: streaming, causal, integer. docs/detector.md explains it and gives figures.
 *
 * A candidate is a maximum of the QRS band's energy. It is decided EIN_QRS_DECIDE_SAMPLES (244 ms)
 * after its R, so that what follows it can speak against it:
 *   - its energy and its slope must exceed thresholds between a noise and a signal level, each the
 *     median of the last eight candidates of that kind;
 *   - soon after a beat it must be steep, or it is a T wave;
 *   - no stronger wave may follow before the decision, or it is a P wave.
 * When no beat came for 1.5 RR intervals, the largest rejected candidate is looked at again with a
 * lower threshold (search-back). The levels are learned in the first EIN_QRS_LEARN_SAMPLES, whose
 * candidates are then judged in retrospect, and again when nothing was found for
 * EIN_QRS_RELEARN_SAMPLES.
 *
 * RAM: 0.85 KB.
 */
#ifndef EIN_QRS_H
#define EIN_QRS_H

#include "ein_level.h"
#include "ein_peak.h"
#include "ein_ring.h"
#include "ein_types.h"

#define EIN_QRS_CANDIDATES 16u /* a power of two; more than fit into the longest look back */

typedef struct {
    uint32_t r_samples;
    uint16_t flags;
} ein_qrs_r_t;

/* Of beats, and of what was rejected. */
typedef struct {
    ein_level_t signal, noise;
} ein_qrs_levels_t;

typedef struct {
    ein_energy_t energy;
    uint32_t start_samples;   /* first sample since the start */
    uint32_t learned_samples; /* after the start: when to learn */
    uint32_t top_energy;      /* of the candidate that is not decided yet, 0: none */
    uint32_t top_samples;     /* settled, or long ago, where there is none */
    uint32_t top_r_samples;
    uint32_t candidate_count; /* ever */
    uint32_t since_candidate; /* the first one since the last beat or start */
    uint32_t last_r_samples;
    uint16_t state;          /* EIN_FLAG_LEARNING, EIN_FLAG_NOISY */
    uint32_t search_samples; /* when to look back */
    uint16_t last_slope;
    uint8_t confirmed_first, confirmed_count;
    bool running;   /* there was a sample since the start */
    bool has_last;  /* last_* are of a beat since the start */
    bool broken;    /* no beat since the start: its RR is no rhythm */
    bool searched;  /* nothing new to look back at */
    bool rr_void;   /* the next RR interval spans beats that were not found */
    ein_level_t rr; /* samples */
    ein_qrs_levels_t energy_levels, slope_levels;
    ein_peak_t candidates[EIN_QRS_CANDIDATES]; /* newest last, a ring */
    ein_qrs_r_t confirmed[EIN_QRS_CANDIDATES];
} ein_qrs_t;

void ein_qrs_init(ein_qrs_t *qrs);

/* One band-passed sample, already in the ring as its newest, at `now`. True if it begins a
   candidate or moves one that was settled: what ein_qrs_wake_samples said then holds no longer. */
static inline bool ein_qrs_push(ein_qrs_t *qrs, uint32_t now, int32_t uv_q8)
{
    if (!ein_energy_step(&qrs->energy, now, uv_q8) || qrs->energy.sum <= qrs->top_energy)
        return false;
    const uint32_t age = now - qrs->top_samples;
    qrs->top_energy = qrs->energy.sum;
    qrs->top_samples = now;
    return age >= EIN_QRS_SETTLE_SAMPLES;
}

/* After the push: decides what is due at the ring's newest sample. Need not be called before
   ein_qrs_wake_samples, but may be. */
void ein_qrs_attend(ein_qrs_t *qrs, const ein_ring_t *ring);

/* The ring's time at which something will be due, if nothing is pushed that begins a candidate. */
uint32_t ein_qrs_wake_samples(const ein_qrs_t *qrs, uint32_t now);

/* No signal at this sample: the next one pushed is a new start, at rest, and
 * levels are learned. */
void ein_qrs_lost(ein_qrs_t *qrs);

/* Confirmed R peaks in increasing time, with EIN_FLAG_SEARCH_BACK, _LEARNING,
   _BREAK as they apply; false when there is none left. */
bool ein_qrs_next(ein_qrs_t *qrs, uint32_t *r_samples, uint16_t *flags);

static inline bool ein_qrs_has_next(const ein_qrs_t *qrs)
{
    return qrs->confirmed_count > 0;
}

/* EIN_FLAG_LEARNING and EIN_FLAG_NOISY as they stand. */
static inline uint16_t ein_qrs_state(const ein_qrs_t *qrs)
{
    return qrs->state;
}

#endif
