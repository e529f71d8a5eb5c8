#include "ein_strip.h"

#include "ein_fixed.h"

#define NODES ((1u << EIN_STRIP_DEPTH) - 1u)
#define CERTAIN 255u
#define LONG_SAMPLES (65535u * EIN_PIPELINE_RATE_HZ / 1000u) /* of which 16 bits of ms tell */

typedef struct {
    uint8_t feature[NODES];
    int8_t above[NODES];
    int8_t leaf[NODES + 1u];
} tree_t;

static const tree_t TREES[EIN_STRIP_TREES] = EIN_STRIP_TREE_TABLE;
static const int16_t START[EIN_STRIP_VERDICTS] = EIN_STRIP_START;
static const int16_t FAVOUR[EIN_STRIP_VERDICTS] = EIN_STRIP_FAVOUR;
static const uint16_t WEIGHTS_Q15[] = EIN_STRIP_WEIGHTS_Q15;
#define WEIGHTS (sizeof WEIGHTS_Q15 / sizeof WEIGHTS_Q15[0])
#define WEIGHT_STEP 4 /* of a score */

void ein_strip_init(ein_strip_t *strip)
{
    ein_strip_sums_init(&strip->sums);
}

void ein_strip_beat(ein_strip_t *strip, const ein_strip_beat_t *beat)
{
    ein_strip_sums_beat(&strip->sums, beat);
}

static int32_t leaf_of(const tree_t *tree, const int8_t *features)
{
    uint32_t node = 0;
    while (node < NODES) {
        node = 2u * node + (features[tree->feature[node]] > tree->above[node] ? 2u : 1u);
    }
    return tree->leaf[node - NODES];
}

/* exp of a distance between scores. */
static uint32_t weight_q15(int32_t below)
{
    const uint32_t steps = (uint32_t)below / WEIGHT_STEP;
    return steps < WEIGHTS ? WEIGHTS_Q15[steps] : 0u;
}

static void judge(const int8_t *features, ein_strip_verdict_t *verdict)
{
    int32_t scores[EIN_STRIP_VERDICTS];
    for (uint32_t i = 0; i < EIN_STRIP_VERDICTS; i++) {
        scores[i] = START[i];
    }
    for (uint32_t i = 0; i < EIN_STRIP_TREES; i++) {
        scores[i % EIN_STRIP_VERDICTS] += leaf_of(&TREES[i], features);
    }
    uint8_t best = 0;
    int32_t largest = scores[0];
    for (uint8_t i = 1; i < EIN_STRIP_VERDICTS; i++) {
        if (scores[i] + FAVOUR[i] > scores[best] + FAVOUR[best]) {
            best = i;
        }
        largest = scores[i] > largest ? scores[i] : largest;
    }
    uint32_t sum = 0;
    for (uint32_t i = 0; i < EIN_STRIP_VERDICTS; i++) {
        sum += weight_q15(largest - scores[i]);
    }
    verdict->verdict = best;
    verdict->probability =
        (uint8_t)((CERTAIN * weight_q15(largest - scores[best]) + sum / 2u) / sum);
}

static uint16_t when(bool holds, uint32_t reason)
{
    return (uint16_t)(holds ? reason : 0u);
}

/* What speaks for the verdict, and what else was seen. */
static uint16_t reasons(const ein_strip_sums_t *sums, const int8_t *features,
                        const ein_strip_verdict_t *verdict)
{
    const uint8_t v = verdict->verdict;
    const bool noisy = v == EIN_STRIP_VERDICT_NOISY;
    const bool regular = features[EIN_STRIP_RR_STEP_Q50] <= EIN_STRIP_IRREGULAR_Q8;
    const uint32_t doubtful = 100u * sums->doubtful;
    uint16_t told = when(noisy || doubtful >= EIN_STRIP_DOUBTFUL_PERCENT * sums->rr.count,
                         EIN_STRIP_REASON_NOISE);
    if (noisy) {
        return told; /* the rest would be read out of noise */
    }
    told |= when(!regular, EIN_STRIP_REASON_IRREGULAR);
    told |= when(v == EIN_STRIP_VERDICT_FIBRILLATION && sums->p_absent, EIN_STRIP_REASON_NO_P_WAVE);
    told |= when(verdict->ventricular > 0, EIN_STRIP_REASON_VENTRICULAR);
    told |= when(verdict->supraventricular > 0, EIN_STRIP_REASON_SUPRAVENTRICULAR);
    told |= when(verdict->longest_ms >= EIN_STRIP_PAUSE_MS, EIN_STRIP_REASON_PAUSE);
    told |= when(verdict->rate_bpm > 0 && verdict->rate_bpm < EIN_STRIP_SLOW_BPM,
                 EIN_STRIP_REASON_SLOW);
    told |= when(verdict->rate_bpm > EIN_STRIP_FAST_BPM, EIN_STRIP_REASON_FAST);
    told |= when(v == EIN_STRIP_VERDICT_OTHER && told == 0, EIN_STRIP_REASON_SHAPE);
    told |= when(v == EIN_STRIP_VERDICT_REGULAR && regular, EIN_STRIP_REASON_REGULAR);
    return told;
}

static uint16_t saturated16(uint32_t x)
{
    return (uint16_t)(x > UINT16_MAX ? UINT16_MAX : x);
}

void ein_strip_verdict(const ein_strip_t *strip, const ein_templates_t *templates, uint32_t samples,
                       ein_strip_verdict_t *verdict, int8_t *features)
{
    const ein_strip_sums_t *const sums = &strip->sums;
    int8_t own[EIN_STRIP_FEATURES];
    int8_t *const seen = features != NULL ? features : own;
    ein_strip_features(sums, templates, seen);
    *verdict = (ein_strip_verdict_t){.verdict = EIN_STRIP_VERDICT_NONE};
    if (samples > EIN_STRIP_MAX_SECONDS * (uint32_t)EIN_PIPELINE_RATE_HZ) {
        return;
    }
    const uint32_t ventricular = (uint32_t)sums->called[EIN_CLASS_V] + sums->called[EIN_CLASS_F];
    verdict->ventricular = (uint8_t)(ventricular > UINT8_MAX ? UINT8_MAX : ventricular);
    verdict->supraventricular = sums->called[EIN_CLASS_S];
    if (sums->rr_sum_samples > 0) {
        verdict->rate_bpm =
            saturated16((60u * EIN_PIPELINE_RATE_HZ * sums->rr_known + sums->rr_sum_samples / 2u) /
                        sums->rr_sum_samples);
    }
    const uint32_t longest = sums->rr_longest_samples;
    verdict->longest_ms = longest < LONG_SAMPLES
                              ? (uint16_t)(longest * 1000u / EIN_PIPELINE_RATE_HZ)
                              : (uint16_t)UINT16_MAX;
    const bool too_short = samples < EIN_STRIP_MIN_SECONDS * (uint32_t)EIN_PIPELINE_RATE_HZ;
    if (too_short || sums->rr.count < EIN_STRIP_MIN_BEATS) {
        verdict->verdict = EIN_STRIP_VERDICT_NOISY;
        verdict->probability = CERTAIN;
        verdict->reasons = too_short ? EIN_STRIP_REASON_SHORT : EIN_STRIP_REASON_FEW_BEATS;
        return;
    }
    judge(seen, verdict);
    verdict->reasons = reasons(sums, seen, verdict);
}
