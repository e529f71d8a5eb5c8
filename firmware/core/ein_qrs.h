/* R-peak detector: streaming, causal, integer (docs/detector.md). */
#ifndef EIN_QRS_H
#define EIN_QRS_H

#include "ein_filter.h"
#include "ein_ring.h"
#include "ein_types.h"

#define EIN_QRS_HISTORY 32u /* candidates remembered */
#define EIN_QRS_LEVELS 8u   /* peaks in a level's median */
#define EIN_QRS_MWI_MAX 32u

typedef struct {
    uint32_t t_samples; /* of the energy's peak, in the ring's time */
    uint32_t energy;
    uint32_t slope;
    bool used;
} ein_qrs_peak_t;

typedef struct {
    uint32_t of[EIN_QRS_LEVELS];
    uint32_t median;
    uint8_t next, count;
} ein_qrs_level_t;

typedef struct {
    ein_biquad_t filter[EIN_FILTER_QRS_SECTIONS];
    uint16_t mwi[EIN_QRS_MWI_MAX];
    uint32_t mwi_sum;
    uint32_t n; /* samples since restart */
    uint32_t last_energy;
    /* the rising candidate */
    uint32_t cand_energy, cand_t;
    ein_qrs_peak_t history[EIN_QRS_HISTORY];
    uint32_t head; /* peaks ever stored */
    ein_qrs_level_t signal, noise;
    uint32_t rr[EIN_QRS_LEVELS];
    uint32_t rr_median;
    uint8_t rr_next, rr_count;
    uint32_t last_t; /* energy time of last beat */
    uint32_t last_r;
    uint32_t last_slope;
    bool have_last;
    bool learning;
    bool broke;
    uint32_t learn_until;
    uint32_t replay; /* index of next history entry to classify after learning */
    /* queue of confirmed */
    struct { uint32_t r; uint16_t flags; } queue[EIN_QRS_HISTORY];
    uint8_t q_head, q_tail;
} ein_qrs_t;

void ein_qrs_init(ein_qrs_t *qrs);
void ein_qrs_restart(ein_qrs_t *qrs);
void ein_qrs_push(ein_qrs_t *qrs, const ein_ring_t *ring, int32_t uv_q8);
void ein_qrs_lost(ein_qrs_t *qrs);
uint16_t ein_qrs_state(const ein_qrs_t *qrs);
bool ein_qrs_next(ein_qrs_t *qrs, uint32_t *r_samples, uint16_t *flags);

#endif
