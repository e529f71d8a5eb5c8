#include "ein_qrs.h"

#include <string.h>

static const int32_t QRS_SOS[EIN_FILTER_QRS_SECTIONS][5] = EIN_FILTER_QRS_Q30;

static uint32_t median8(const uint32_t *v, uint32_t n)
{
    uint32_t s[EIN_QRS_LEVELS];
    for (uint32_t i = 0; i < n; i++) {
        uint32_t j = i;
        for (; j > 0 && s[j - 1] > v[i]; j--)
            s[j] = s[j - 1];
        s[j] = v[i];
    }
    return n == 0 ? 0 : (s[(n - 1) / 2] + s[n / 2]) / 2;
}

static void level_add(ein_qrs_level_t *l, uint32_t v)
{
    l->of[l->next] = v;
    l->next = (uint8_t)((l->next + 1u) % EIN_QRS_LEVELS);
    if (l->count < EIN_QRS_LEVELS)
        l->count++;
    l->median = median8(l->of, l->count);
}

void ein_qrs_init(ein_qrs_t *q)
{
    memset(q, 0, sizeof *q);
    ein_qrs_restart(q);
}

void ein_qrs_restart(ein_qrs_t *q)
{
    memset(q->filter, 0, sizeof q->filter);
    memset(q->mwi, 0, sizeof q->mwi);
    q->mwi_sum = 0;
    q->n = 0;
    q->cand_energy = 0;
    q->last_energy = 0;
    q->learning = true;
    q->have_last = false;
    q->broke = true;
    q->replay = q->head;
}

static uint32_t absolute(int32_t v) { return v < 0 ? (uint32_t)-v : (uint32_t)v; }

static uint32_t slope_around(const ein_ring_t *ring, uint32_t t)
{
    uint32_t best = 0;
    for (uint32_t i = t - EIN_QRS_SEARCH_SAMPLES; i != t + EIN_QRS_SEARCH_SAMPLES; i++) {
        uint32_t d = absolute(ein_ring_at(ring, i + 1) - ein_ring_at(ring, i - 1));
        if (d > best)
            best = d;
    }
    return best;
}

static uint32_t refine(const ein_ring_t *ring, uint32_t t)
{
    uint32_t best_t = t;
    int32_t best = -1;
    for (uint32_t i = t - EIN_QRS_SEARCH_SAMPLES; i != t + EIN_QRS_SEARCH_SAMPLES + 1; i++) {
        int32_t y = ein_ring_at(ring, i);
        int32_t p = 2 * y - ein_ring_at(ring, i - EIN_QRS_PROMINENCE_SAMPLES) -
                    ein_ring_at(ring, i + EIN_QRS_PROMINENCE_SAMPLES);
        if (p < 0)
            p = -p * EIN_QRS_NEGATIVE_Q4 / 16;
        if (p > best) {
            best = p;
            best_t = i;
        }
    }
    return best_t;
}

static void accept(ein_qrs_t *q, const ein_ring_t *ring, ein_qrs_peak_t *p, uint16_t flags)
{
    uint32_t r = refine(ring, p->t_samples);
    p->used = true;
    if (q->have_last && (int32_t)(r - q->last_r) < EIN_QRS_REFRACTORY_SAMPLES / 2)
        return;
    if (q->have_last) {
        uint32_t rr = p->t_samples - q->last_t;
        q->rr[q->rr_next] = rr;
        q->rr_next = (uint8_t)((q->rr_next + 1u) % EIN_QRS_LEVELS);
        if (q->rr_count < EIN_QRS_LEVELS)
            q->rr_count++;
        q->rr_median = median8(q->rr, q->rr_count);
    }
    q->have_last = true;
    q->last_t = p->t_samples;
    q->last_r = r;
    q->last_slope = p->slope;
    level_add(&q->signal, p->energy);
    if (q->broke)
        flags |= EIN_FLAG_BREAK;
    q->broke = false;
    q->queue[q->q_head].r = r;
    q->queue[q->q_head].flags = flags;
    q->q_head = (uint8_t)((q->q_head + 1u) % EIN_QRS_HISTORY);
}

static uint32_t threshold(const ein_qrs_t *q)
{
    uint32_t s = q->signal.median, n = q->noise.median;
    if (s < n)
        s = n;
    return n + (uint32_t)(((uint64_t)(s - n) * EIN_QRS_THRESHOLD_Q8) >> 8);
}

static bool is_t_wave(const ein_qrs_t *q, const ein_qrs_peak_t *p)
{
    return q->have_last && p->t_samples - q->last_t < EIN_QRS_T_WAVE_SAMPLES &&
           p->slope * 16 < q->last_slope * EIN_QRS_T_WAVE_Q4;
}

static void classify(ein_qrs_t *q, const ein_ring_t *ring, ein_qrs_peak_t *p, uint16_t flags)
{
    if (q->have_last && p->t_samples - q->last_t < EIN_QRS_REFRACTORY_SAMPLES)
        return;
    uint32_t t = threshold(q);
    if (t < EIN_QRS_FLOOR)
        t = EIN_QRS_FLOOR;
    if (p->energy > t && !is_t_wave(q, p))
        accept(q, ring, p, flags);
    else
        level_add(&q->noise, p->energy);
}

/* levels from the history of the last LEARN samples */
static void learn(ein_qrs_t *q, const ein_ring_t *ring)
{
    uint32_t first = q->head > EIN_QRS_HISTORY ? q->head - EIN_QRS_HISTORY : 0;
    if ((int32_t)(q->replay - first) > 0)
        first = q->replay;
    uint32_t top = 0;
    for (uint32_t i = first; i != q->head; i++) {
        const ein_qrs_peak_t *p = &q->history[i % EIN_QRS_HISTORY];
        if (p->energy > top)
            top = p->energy;
    }
    uint32_t v[EIN_QRS_LEVELS], n = 0, hi = 0;
    for (uint32_t i = first; i != q->head && n < EIN_QRS_LEVELS; i++) {
        const ein_qrs_peak_t *p = &q->history[i % EIN_QRS_HISTORY];
        if (p->energy * 2 > top) v[n++] = p->energy;
    }
    hi = median8(v, n);
    memset(&q->signal, 0, sizeof q->signal);
    memset(&q->noise, 0, sizeof q->noise);
    level_add(&q->signal, hi);
    level_add(&q->noise, hi / 8);
    q->rr_count = 0; q->rr_next = 0; q->rr_median = 0;
    q->learning = false;
    for (uint32_t i = first; i != q->head; i++)
        classify(q, ring, &q->history[i % EIN_QRS_HISTORY], EIN_FLAG_LEARNING);
}

static void search_back(ein_qrs_t *q, const ein_ring_t *ring)
{
    uint32_t count = q->head < EIN_QRS_HISTORY ? q->head : EIN_QRS_HISTORY;
    ein_qrs_peak_t *best = NULL;
    for (uint32_t k = 1; k <= count; k++) {
        ein_qrs_peak_t *p = &q->history[(q->head - k) % EIN_QRS_HISTORY];
        if (p->used || (int32_t)(p->t_samples - q->last_t) < EIN_QRS_REFRACTORY_SAMPLES)
            break;
        if (is_t_wave(q, p))
            continue;
        if (best == NULL || p->energy > best->energy)
            best = p;
    }
    if (best == NULL)
        return;
    uint32_t t = (uint32_t)(((uint64_t)threshold(q) * EIN_QRS_SEARCH_BACK_Q8) >> 8);
    if (t < EIN_QRS_FLOOR)
        t = EIN_QRS_FLOOR;
    if (best->energy > t)
        accept(q, ring, best, EIN_FLAG_SEARCH_BACK);
}

void ein_qrs_push(ein_qrs_t *q, const ein_ring_t *ring, int32_t uv_q8)
{
    int32_t y = ein_filter_step(q->filter, QRS_SOS, EIN_FILTER_QRS_SECTIONS, uv_q8);
    uint32_t a = absolute(y) >> 6;
    if (a > UINT16_MAX)
        a = UINT16_MAX;
    uint32_t slot = q->n % EIN_QRS_MWI_SAMPLES;
    q->mwi_sum += a - q->mwi[slot];
    q->mwi[slot] = (uint16_t)a;
    q->n++;
    uint32_t e = q->mwi_sum;
    uint32_t now = ring->end_samples - 1;
    if (e > q->last_energy && e > q->cand_energy) {
        q->cand_energy = e;
        q->cand_t = now;
    } else if (q->cand_energy != 0 && now - q->cand_t >= EIN_QRS_HOLD_SAMPLES) {
        ein_qrs_peak_t *p = &q->history[q->head % EIN_QRS_HISTORY];
        q->head++;
        p->t_samples = q->cand_t - EIN_QRS_DELAY_SAMPLES;
        p->energy = q->cand_energy;
        p->used = false;
        p->slope = slope_around(ring, p->t_samples);
        q->cand_energy = 0;
        if (!q->learning)
            classify(q, ring, p, 0);
    }
    q->last_energy = e;
    if (q->learning) {
        if (q->n >= EIN_QRS_LEARN_SAMPLES)
            learn(q, ring);
        return;
    }
    if (q->have_last && q->rr_median != 0) {
        uint32_t since = now - q->last_t;
        if (since > q->rr_median * EIN_QRS_SEARCH_RR_Q4 / 16 + EIN_QRS_HOLD_SAMPLES + EIN_QRS_DELAY_SAMPLES && (since & 7) == 0)
            search_back(q, ring);
    }
}

bool ein_qrs_next(ein_qrs_t *q, uint32_t *r_samples, uint16_t *flags)
{
    if (q->q_tail == q->q_head)
        return false;
    *r_samples = q->queue[q->q_tail].r;
    *flags = q->queue[q->q_tail].flags;
    q->q_tail = (uint8_t)((q->q_tail + 1u) % EIN_QRS_HISTORY);
    return true;
}

void ein_qrs_lost(ein_qrs_t *q)
{
    if (q->n != 0 || !q->learning)
        ein_qrs_restart(q);
}

uint16_t ein_qrs_state(const ein_qrs_t *q)
{
    return q->learning ? EIN_FLAG_LEARNING : 0;
}
