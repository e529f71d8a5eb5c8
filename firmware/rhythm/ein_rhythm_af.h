/* Atrial fibrillation: begin and end, from RR intervals and P waves.
 *
 * Each normal beat is evidence. Irregularity is the median change of log2 RR from one interval
 * between normal beats to the next, over the last EIN_RHYTHM_AF_INTERVALS of them, and the smallest
 * of those over one, two and three intervals, so that bigeminy and trigeminy are regular. P waves
 * speak against it: the correlation of what precedes the QRS, its trend taken off, with the running
 * average of the same, over as many beats. V, F and beats in bad signal say nothing, nor do S while
 * P waves are alike.
 *
 *     evidence = 1.1 log2(irregularity) - 3.9 correlation + 4.7     within +-2
 *
 * It is summed from its lowest point on; when the sum reaches EIN_RHYTHM_AF_DECIDE_Q8 fibrillation
 * began at that point, and the sum of what speaks against it ends it in the same way (the two-state
 * Viterbi path with a fixed cost of change). Told at the earliest four beats after the turning
 * point, mostly eight to twelve; begin and end are the turning points themselves. Flutter that
 * conducts irregularly is told as fibrillation, regular flutter is not told.
 *
 * Evidence in Q8; correlations in Q7; P waves in int16. RAM: 190 B. No errors.
 */
#ifndef EIN_RHYTHM_AF_H
#define EIN_RHYTHM_AF_H

#include "ein_rhythm_types.h"

#define EIN_RHYTHM_AF_LAGS 3u
#define EIN_RHYTHM_AF_RING (EIN_RHYTHM_AF_INTERVALS + EIN_RHYTHM_AF_LAGS)
#define EIN_RHYTHM_AF_P_SAMPLES (EIN_RHYTHM_AF_P_FROM_SAMPLES - EIN_RHYTHM_AF_P_TO_SAMPLES)

typedef struct {
    uint8_t rr_count, p_count, p_next, times_count;
    uint8_t beat;                            /* beats, modulo 256 */
    bool active;                             /* fibrillation */
    bool before_normal;                      /* the beat before was one */
    uint32_t p_energy;                       /* average energy of the P waves that made `p` */
    int32_t sum_q8;                          /* of the evidence since the turning point */
    uint32_t turn_samples;                   /* when that was */
    uint32_t begin_samples;                  /* of the episode, while active */
    uint32_t times[EIN_RHYTHM_AF_LAG_BEATS]; /* of the last beats, oldest first */
    int16_t rr_q8[EIN_RHYTHM_AF_RING];    /* log2 of intervals between normal beats, newest last */
    uint8_t rr_beat[EIN_RHYTHM_AF_RING];  /* `beat` of each */
    int8_t p_q7[EIN_RHYTHM_AF_INTERVALS]; /* correlations of P waves, a ring */
    int16_t p[EIN_RHYTHM_AF_P_SAMPLES];   /* the average P wave, in 1/8 step of the tensor */
} ein_rhythm_af_t;

/* A beat that follows the one before after `rr_samples`, 0: unknown. `hidden`: what the signal
   shows now are no beats. */
void ein_rhythm_af_beat(ein_rhythm_af_t *af, const ein_rhythm_beat_t *beat, uint32_t rr_samples,
                        bool hidden, ein_rhythm_queue_t *queue);

/* The record has ended: ends an episode at `end_samples`. */
void ein_rhythm_af_finish(ein_rhythm_af_t *af, uint32_t end_samples, ein_rhythm_queue_t *queue);

#endif
