#include "ein_strip_rr.h"

#include "ein_fixed.h"
#include "ein_pipeline.h"

#define ONE 127u     /* a share of all */
#define LATE_Q8 46   /* 0.18 octaves after the median interval */
#define BACK_Q8 31   /* 0.12 octaves shorter, then so much longer */
#define RATE_BEATS 6 /* the fastest and the slowest rate are of so many beats */
#define CALM_BEATS 8 /* as are the most and the least regular part */
#define NEIGHBOURS 2 /* intervals to either side that a single one is compared with */

void ein_strip_rr_push(ein_strip_rr_t *rr, uint32_t rr_samples, bool plain)
{
    if (rr->count >= EIN_STRIP_BEATS) {
        return;
    }
    const uint32_t log_q8 = (uint32_t)ein_log2_q8(rr_samples);
    const uint32_t kept = log_q8 < EIN_STRIP_RR_LOG_Q8 ? log_q8 : EIN_STRIP_RR_LOG_Q8;
    const uint32_t unknown = rr_samples == 0 ? EIN_STRIP_RR_UNKNOWN : 0u;
    rr->word[rr->count] = (uint16_t)(kept | unknown | (plain ? EIN_STRIP_RR_PLAIN : 0u));
    rr->count++;
}

/* Ascending, in place; n is small. Shell's method. */
static void sort(int16_t *x, uint32_t n)
{
    static const uint8_t GAPS[] = {57, 23, 10, 4, 1};
    for (uint32_t g = 0; g < sizeof GAPS; g++) {
        const uint32_t gap = GAPS[g];
        for (uint32_t i = gap; i < n; i++) {
            const int16_t value = x[i];
            uint32_t j = i;
            for (; j >= gap && x[j - gap] > value; j -= gap) {
                x[j] = x[j - gap];
            }
            x[j] = value;
        }
    }
}

static int32_t quantile(const int16_t *sorted, uint32_t n, uint32_t percent)
{
    return n == 0 ? 0 : sorted[((n - 1u) * percent + 50u) / 100u];
}

static int8_t share(uint32_t count, uint32_t all)
{
    if (all == 0) {
        return 0;
    }
    return (int8_t)((ONE * count + all / 2u) / all);
}

/* Known intervals in their order, or something of them. */
typedef struct {
    int16_t x[EIN_STRIP_BEATS];
    uint32_t n;
} series_t;

static int32_t log_of(uint16_t word)
{
    return word & EIN_STRIP_RR_LOG_Q8;
}

static void known(const ein_strip_rr_t *rr, series_t *s)
{
    s->n = 0;
    for (uint32_t i = 0; i < rr->count; i++) {
        if ((rr->word[i] & EIN_STRIP_RR_UNKNOWN) == 0) {
            s->x[s->n++] = (int16_t)log_of(rr->word[i]);
        }
    }
}

#define RADII 3u

/* Pairs of places whose next 1, 2 and 3 intervals are alike within three radii: what sample entropy
   counts (Richman and Moorman 2000). Most pairs are apart by all radii or by none, so one pass
   counts for all three. Fills the features of them. */
static void alike(const series_t *s, int8_t *f)
{
    static const uint8_t WITHIN[RADII] = {8, 15, 31};
    uint32_t pairs[RADII][3] = {{0}};
    const uint32_t n = s->n;
    for (uint32_t lag = 1; lag < n; lag++) {
        uint32_t row[RADII] = {0}; /* places in a row that are alike at this lag */
        const int16_t *const x = s->x;
        const int16_t *const y = s->x + lag;
        for (uint32_t i = 0; i < n - lag; i++) {
            const uint32_t apart = ein_magnitude(x[i] - y[i]);
            uint32_t k = RADII;
            for (; k > 0 && apart < WITHIN[k - 1u]; k--) {
                const uint32_t in_row = ++row[k - 1u];
                uint32_t *const count = pairs[k - 1u];
                count[0]++;
                if (in_row >= 2u) {
                    count[1]++;
                    count[2] += in_row >= 3u;
                }
            }
            while (k > 0) {
                row[--k] = 0;
            }
        }
    }
    for (uint32_t k = 0; k < RADII; k++) {
        f[EIN_STRIP_RR_ALIKE_8 + k] =
            ein_sat8((ein_log2_q8(pairs[k][0] + 1u) - ein_log2_q8(pairs[k][1] + 1u)) >> 3);
    }
    const uint32_t *const wide = pairs[RADII - 1u];
    f[EIN_STRIP_RR_ALIKE2_31] = share(wide[1], n > 1 ? (n - 1u) * (n - 2u) / 2u : 0u);
    f[EIN_STRIP_RR_ALIKE3_31] = share(wide[2], n > 2 ? (n - 2u) * (n - 3u) / 2u : 0u);
}

/* lagged / power of an autocorrelation, whose size is at most 1. */
static int8_t part(int64_t lagged, int64_t power)
{
    const int64_t scaled = (lagged < 0 ? -lagged : lagged) * (int64_t)ONE;
    int32_t found = 0; /* scaled / power, bit by bit: no long division for a once in a strip */
    for (int32_t bit = 64; bit > 0; bit >>= 1) {
        if (power > 0 && (found + bit) * power <= scaled) {
            found += bit;
        }
    }
    return (int8_t)(lagged < 0 ? -found : found);
}

/* In the order of time: changes, extremes over some beats, single early ones. */
static void in_order(const series_t *s, int32_t median, int8_t *f)
{
    const uint32_t n = s->n;
    const int16_t *x = s->x;
    uint32_t turns = 0, compensated = 0, late = 0;
    int32_t sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        const int32_t off = x[i] - median;
        sum += off;
        late += off > LATE_Q8;
        if (i >= 2) {
            const int32_t d0 = x[i - 1] - x[i - 2], d1 = x[i] - x[i - 1];
            turns += (d0 < 0) != (d1 < 0);
            compensated += d0 < -BACK_Q8 && d1 > BACK_Q8;
        }
    }
    const uint32_t triples = n > 2 ? n - 2u : 0u;
    f[EIN_STRIP_RR_TURNS] = share(turns, triples);
    f[EIN_STRIP_RR_COMPENSATED] = share(compensated, triples);
    f[EIN_STRIP_RR_LATE] = share(late, n);

    const int32_t mean = n > 0 ? sum / (int32_t)n : 0;
    int64_t power = 0, lagged[2] = {0, 0};
    for (uint32_t i = 0; i < n; i++) {
        const int32_t off = x[i] - median - mean;
        power += off * off;
        for (uint32_t k = 0; k < 2; k++) {
            const uint32_t lag = 1u + 2u * k;
            if (lag <= i) {
                lagged[k] += off * (x[i - lag] - median - mean);
            }
        }
    }
    f[EIN_STRIP_RR_LAG1] = part(lagged[0], power);
    f[EIN_STRIP_RR_LAG3] = part(lagged[1], power);

    int32_t fast = 0, slow = 0, calm = 0, wild = 0, rate = 0, change = 0;
    for (uint32_t i = 0; i < n; i++) {
        rate += x[i] - (i >= RATE_BEATS ? x[i - RATE_BEATS] : 0);
        if (i + 1u >= RATE_BEATS) {
            fast = rate < fast || i + 1u == RATE_BEATS ? rate : fast;
            slow = rate > slow || i + 1u == RATE_BEATS ? rate : slow;
        }
        if (i > 0) {
            change += (int32_t)ein_magnitude(x[i] - x[i - 1]);
        }
        if (i > CALM_BEATS) {
            change -= (int32_t)ein_magnitude(x[i - CALM_BEATS] - x[i - CALM_BEATS - 1]);
        }
        if (i >= CALM_BEATS) {
            calm = change < calm || i == CALM_BEATS ? change : calm;
            wild = change > wild ? change : wild;
        }
    }
    const int32_t usual = ein_log2_q8(EIN_RR_TYPICAL_SAMPLES);
    f[EIN_STRIP_RR_FASTEST] =
        n < RATE_BEATS ? (int8_t)0 : ein_sat8((fast / RATE_BEATS - usual) >> 2);
    f[EIN_STRIP_RR_SLOWEST] =
        n < RATE_BEATS ? (int8_t)0 : ein_sat8((slow / RATE_BEATS - usual) >> 2);
    f[EIN_STRIP_RR_CALMEST] = ein_sat8(calm / CALM_BEATS);
    f[EIN_STRIP_RR_WILDEST] = ein_sat8(wild / CALM_BEATS / 2);
}

/* Single early beats with a pause after them: the smaller of both, against two intervals to either
   side; the two largest ones. */
static void extra_beats(const series_t *s, int8_t *f)
{
    int32_t first = 0, second = 0;
    for (uint32_t i = NEIGHBOURS; i + 1u + NEIGHBOURS < s->n; i++) {
        const int16_t *x = s->x + i;
        const int32_t around = (x[-2] + x[-1] + x[2] + x[3]) / 4;
        const int32_t early = around - x[0], pause = x[1] - around;
        const int32_t both = early < pause ? early : pause;
        if (both > first) {
            second = first;
            first = both;
        } else if (both > second) {
            second = both;
        }
    }
    f[EIN_STRIP_RR_EXTRA1] = ein_sat8(first >> 1);
    f[EIN_STRIP_RR_EXTRA2] = ein_sat8(second >> 1);
}

/* Sorts the changes from interval to interval into s; between beats called N only, or all. */
static void changes(const ein_strip_rr_t *rr, bool plain, series_t *s)
{
    const uint32_t need = plain ? EIN_STRIP_RR_PLAIN : 0u;
    s->n = 0;
    for (uint32_t i = 1; i < rr->count; i++) {
        const uint32_t both = rr->word[i] & rr->word[i - 1u];
        const uint32_t either = rr->word[i] | rr->word[i - 1u];
        const uint32_t first =
            i > 1 ? rr->word[i - 2u] : EIN_STRIP_RR_PLAIN; /* of the three beats */
        if ((either & EIN_STRIP_RR_UNKNOWN) == 0 && (both & first & need) == need) {
            s->x[s->n++] = (int16_t)ein_magnitude(log_of(rr->word[i]) - log_of(rr->word[i - 1u]));
        }
    }
    sort(s->x, s->n);
}

void ein_strip_rr_features(const ein_strip_rr_t *rr, int8_t *f)
{
    static const uint8_t STEPS_Q8[] = {8, 15, 26, 38, 64};
    series_t s;
    known(rr, &s);
    const uint32_t n = s.n;
    for (uint32_t i = 0; i < EIN_STRIP_RR_FEATURES; i++) {
        f[i] = 0;
    }
    alike(&s, f);
    sort(s.x, n);
    const int32_t median = quantile(s.x, n, 50);
    const int32_t usual = ein_log2_q8(EIN_RR_TYPICAL_SAMPLES);
    f[EIN_STRIP_RR_MEDIAN] = n == 0 ? (int8_t)0 : ein_sat8((median - usual) >> 2);
    f[EIN_STRIP_RR_SHORTEST] = ein_sat8((quantile(s.x, n, 0) - median) >> 1);
    f[EIN_STRIP_RR_SHORT] = ein_sat8((quantile(s.x, n, 10) - median) >> 1);
    f[EIN_STRIP_RR_LONG] = ein_sat8((quantile(s.x, n, 90) - median) >> 1);
    f[EIN_STRIP_RR_LONGEST] = ein_sat8((quantile(s.x, n, 100) - median) >> 1);
    f[EIN_STRIP_RR_LONGEST_ABS] =
        n == 0 ? (int8_t)0 : ein_sat8((quantile(s.x, n, 100) - usual) >> 2);
    f[EIN_STRIP_RR_SHORTEST_ABS] =
        n == 0 ? (int8_t)0 : ein_sat8((quantile(s.x, n, 0) - usual) >> 2);

    known(rr, &s);
    in_order(&s, median, f);
    extra_beats(&s, f);

    changes(rr, false, &s);
    f[EIN_STRIP_RR_STEP_Q25] = ein_sat8(quantile(s.x, s.n, 25));
    f[EIN_STRIP_RR_STEP_Q50] = ein_sat8(quantile(s.x, s.n, 50));
    f[EIN_STRIP_RR_STEP_Q75] = ein_sat8(quantile(s.x, s.n, 75) >> 1);
    f[EIN_STRIP_RR_STEP_Q90] = ein_sat8(quantile(s.x, s.n, 90) >> 1);
    uint32_t below = 0;
    for (uint32_t k = 0; k < sizeof STEPS_Q8; k++) {
        while (below < s.n && s.x[below] <= STEPS_Q8[k]) {
            below++;
        }
        f[EIN_STRIP_RR_STEP_OVER1 + k] = share(s.n - below, s.n);
    }
    changes(rr, true, &s);
    f[EIN_STRIP_RR_PLAIN_Q50] = ein_sat8(quantile(s.x, s.n, 50));
    f[EIN_STRIP_RR_PLAIN_Q90] = ein_sat8(quantile(s.x, s.n, 90) >> 1);
}
