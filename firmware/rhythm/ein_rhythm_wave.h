/* What the signal itself shows, once a second: ventricular flutter or fibrillation, and asystole.
 *
 * Flutter and fibrillation are nearly sinusoidal. Over the last 2 s of the band-passed signal,
 * every third sample, with N half the period that mean step and mean size suggest:
 *
 *   leakage = sum |x(t) + x(t - N)| / sum (|x(t)| + |x(t - N)|)   (Kuo and Dillman 1978)
 *
 *   rest = part of the samples within 1/5 of the largest
 *
 * Their sum is below EIN_RHYTHM_WAVE_LIMIT_Q8 in flutter, above 1 in most rhythms with QRS
 * complexes; a window with fewer than EIN_RHYTHM_WAVE_LEAST_TURNS changes of sign is too slow.
 * What it lacks is evidence, summed and decided upon as in ein_rhythm_af.h. Wide, fast ventricular
 * tachycardia is told as flutter: what divides them is a convention. Known after 3 to 5 s.
 */
#ifndef EIN_RHYTHM_WAVE_H
#define EIN_RHYTHM_WAVE_H

#include "ein_rhythm_types.h"
#include "ein_ring.h"

/* Sizes and steps of a second's samples. */
typedef struct {
    uint32_t total_uv, steps_uv, largest_uv;
    uint32_t turns; /* of the sign */
} ein_rhythm_block_t;

typedef struct {
    ein_rhythm_block_t before; /* of the second before the last */
    int32_t sum_q8;            /* of the evidence since the turning point */
    uint32_t turn_samples, begin_samples;
    uint32_t usual_uv;       /* running mean of the largest value, while there are beats */
    uint32_t largest_uv;     /* of the last window */
    uint32_t asystole_begin; /* while asystole is told */
    uint32_t hidden_samples; /* when there was last no signal to be heard */
    uint16_t until_hop;      /* samples until the signal is looked at */
    uint16_t windows;        /* so far, saturating */
    uint8_t quiet;           /* hops in a row with a quiet signal, saturating */
    bool looked;             /* at all: `before` is of the second before */
    bool fibrillates, asystole;
    bool heard;  /* hidden_samples is known */
    bool hidden; /* since the last look, for a while at least */
} ein_rhythm_wave_t;

void ein_rhythm_wave_init(ein_rhythm_wave_t *wave);

/* The signal is to be looked at: `state` are the signal's flags now, `beat_samples` the last beat,
   if there was `any`. */
void ein_rhythm_wave_hop(ein_rhythm_wave_t *wave, const ein_ring_t *ring, uint16_t state,
                         uint32_t beat_samples, bool any, ein_rhythm_queue_t *queue);

/* The state of the signal has changed. */
void ein_rhythm_wave_signal(ein_rhythm_wave_t *wave, uint16_t state);

/* A beat: ends asystole. */
void ein_rhythm_wave_beat(ein_rhythm_wave_t *wave, uint32_t t_samples, ein_rhythm_queue_t *queue);

/* The record has ended. */
void ein_rhythm_wave_finish(ein_rhythm_wave_t *wave, uint32_t end_samples,
                            ein_rhythm_queue_t *queue);

/* One sample of time; true when the signal is to be looked at. Inline: asked at every sample. */
static inline bool ein_rhythm_wave_is_due(ein_rhythm_wave_t *wave)
{
    wave->until_hop--;
    return wave->until_hop == 0;
}

#endif
