/* The patient's rhythm: running statistics of RR intervals, all as log2 in Q8.
 *
 * In logarithms a ratio is a difference and an outlier weighs less. What a beat is compared with
 * is always the rhythm before it. Means follow at 1/n until n reaches their length, so they are
 * right from the second interval on. RAM: 408 B.
 */
#ifndef EIN_RR_H
#define EIN_RR_H

#include <stdint.h>

#include "ein_pipeline.h"

#define EIN_ORDER_LENGTH 32u

/* The last 32 values, and the same in order. */
typedef struct {
    uint8_t count, head;
    int16_t ring[EIN_ORDER_LENGTH];
    int16_t sorted[EIN_ORDER_LENGTH];
} ein_order_t;

typedef struct {
    int32_t mean_q16;     /* over about EIN_RR_MEAN_BEATS */
    int32_t slow_q16;     /* over about EIN_RR_SLOW_BEATS */
    uint16_t beats;       /* intervals since the start, saturating */
    int16_t before_q8[2]; /* the last and the last but one interval; 0 = none */
    ein_order_t rr;       /* log2 RR */
    ein_order_t step1;    /* |log2 RR(i)/RR(i-1)|: large in AF and in bigeminy */
    ein_order_t step2;    /* |log2 RR(i)/RR(i-2)|: large in AF only */
} ein_rr_t;

void ein_rr_init(ein_rr_t *rr);

/* Takes in an interval, 1..EIN_RR_MAX_SAMPLES (longer ones count as that). */
void ein_rr_push(ein_rr_t *rr, uint32_t rr_samples);

/* The series is broken (gap, lead off): the next interval has no predecessor. */
void ein_rr_break(ein_rr_t *rr);

/* log2 of an interval in samples, Q8, cut at EIN_RR_MAX_SAMPLES. */
int16_t ein_rr_log_q8(uint32_t rr_samples);

/* Means and quantiles of log2 RR, Q8; before the first interval that of 0.8 s. */
int16_t ein_rr_mean_q8(const ein_rr_t *rr);
int16_t ein_rr_slow_q8(const ein_rr_t *rr);

/* quantile: 0..32 = smallest..largest. `otherwise` when there is no value yet. */
int16_t ein_order_quantile(const ein_order_t *order, uint32_t quantile_32, int16_t otherwise);

#endif
