#include "ein_template.h"

#include <string.h>

#include "ein_fixed.h"
#include "ein_pair.h"

#define QRS_FROM (EIN_WINDOW_BEFORE_SAMPLES - EIN_TEMPLATE_QRS_BEFORE_SAMPLES)
#define QRS_TO (EIN_WINDOW_BEFORE_SAMPLES + EIN_TEMPLATE_QRS_AFTER_SAMPLES)
#define QRS_SAMPLES (QRS_TO - QRS_FROM)
#define ALIGNMENTS (2u * EIN_TEMPLATE_SHIFT_SAMPLES + 1u)

/* What the loops over a QRS are written for. */
typedef char ein_check_qrs[QRS_SAMPLES % 6 == 2 && ALIGNMENTS == 7 ? 1 : -1];

void ein_templates_init(ein_templates_t *templates)
{
    memset(templates, 0, sizeof *templates);
}

void ein_shape_measure(ein_shape_t *shape, const int16_t *window_uv)
{
    const int32_t base = (window_uv[QRS_FROM] + window_uv[QRS_TO - 1]) / 2;
    ein_pair_t low = ein_pair_load(window_uv + QRS_FROM);
    ein_pair_t high = low;
    uint32_t area = 0;
    uint32_t travel = 0;
    uint32_t steepest = 1;
    int32_t before = window_uv[QRS_FROM - 1];
    for (uint32_t i = QRS_FROM; i < QRS_TO; i += 2) {
        const ein_pair_t both = ein_pair_load(window_uv + i);
        const int32_t x = ein_pair_first(both);
        const int32_t next = ein_pair_second(both);
        const uint32_t slope = ein_magnitude(next - before);
        const uint32_t next_slope = ein_magnitude(window_uv[i + 2u] - x);
        low = ein_pair_min(low, both);
        high = ein_pair_max(high, both);
        area += ein_magnitude(x - base) + ein_magnitude(next - base);
        travel += slope + next_slope;
        steepest = slope > steepest ? slope : steepest;
        steepest = next_slope > steepest ? next_slope : steepest;
        before = next;
    }
    const int32_t lowest =
        ein_pair_first(low) < ein_pair_second(low) ? ein_pair_first(low) : ein_pair_second(low);
    const int32_t highest =
        ein_pair_first(high) > ein_pair_second(high) ? ein_pair_first(high) : ein_pair_second(high);
    const uint32_t span = highest > lowest ? (uint32_t)(highest - lowest) : 1u;
    shape->peak_to_peak_uv = (uint16_t)span;
    shape->amplitude_q8 = ein_log2_q8(span);
    shape->slope_q8 = ein_log2_q8(steepest);
    shape->width_q8 = ein_log2_q8(travel * 16u / steepest);
    shape->area_q8 = ein_log2_q8(area * 16u / span);
}

/* value / n, towards zero, for |value| < 2^48 and n < 2^16: two 32-bit divisions, which take a
   fraction of a 64-bit one. */
static int64_t divide(int64_t value, uint32_t n)
{
    const uint64_t sign = value < 0 ? UINT64_MAX : 0; /* x ^ sign - sign negates where it is set */
    const uint64_t whole = ((uint64_t)value ^ sign) - sign;
    const uint32_t high = (uint32_t)(whole >> 16);
    const uint32_t rest = (high % n) << 16 | (uint32_t)(whole & 0xFFFFu);
    const uint64_t quotient = ((uint64_t)(high / n) << 16) + rest / n;
    return (int64_t)((quotient ^ sign) - sign);
}

static ein_deviation_t deviation_of(const int16_t *x, uint32_t n)
{
    int64_t squares = 0;
    int32_t sum = 0;
    uint32_t i = 0;
    for (; i + 1u < n; i += 2) {
        const ein_pair_t xs = ein_pair_load(x + i);
        squares = ein_pair_dot(squares, xs, xs);
        sum = ein_pair_sum(sum, xs);
    }
    if (i < n) {
        squares += x[i] * x[i];
        sum += x[i];
    }
    const int64_t about_mean = squares - divide((int64_t)sum * sum, n);
    ein_deviation_t deviation;
    deviation.uv2 = about_mean < 0 ? 0 : (uint64_t)about_mean;
    deviation.root = ein_sqrt(deviation.uv2);
    deviation.sum_uv = sum;
    return deviation;
}

/* products: of a beat's and a template's n samples. */
static ein_match_t match_of(const ein_deviation_t *beat, const ein_deviation_t *reference,
                            int64_t products, uint32_t n, int8_t shift)
{
    const int64_t common = products - divide((int64_t)beat->sum_uv * reference->sum_uv, n);
    const int64_t residual = (int64_t)(beat->uv2 + reference->uv2) - 2 * common;
    ein_match_t match;
    match.shift = shift;
    match.residual = residual < 0 ? 0 : (uint64_t)residual;
    match.reference = reference->uv2;
    match.correlation_q15 = ein_ratio_q15(common, (uint64_t)beat->root * reference->root + 1u);
    return match;
}

static int64_t product(const int16_t *t, const int16_t *x, uint32_t n)
{
    int64_t sum = 0;
    uint32_t i = 0;
    for (; i + 1u < n; i += 2) {
        sum = ein_pair_dot(sum, ein_pair_load(t + i), ein_pair_load(x + i));
    }
    return i < n ? sum + t[i] * x[i] : sum;
}

ein_match_t ein_template_compare(const ein_template_t *slot, const ein_segment_t *beat,
                                 int8_t shift, uint32_t from, uint32_t to)
{
    const int16_t *t = slot->uv + from;
    const int16_t *x = beat->uv + from + (uint32_t)(EIN_TEMPLATE_SHIFT_SAMPLES + shift);
    const uint32_t n = to - from;
    const ein_deviation_t own = deviation_of(x, n);
    const ein_deviation_t reference = deviation_of(t, n);
    return match_of(&own, &reference, product(t, x, n), n, shift);
}

/* Products at alignments 0, 2 and 4, to there: samples of the beat that one needs now, the one
   before it needs next. Three are as many as the registers of a Cortex-M4 hold. */
static void three_products(const int16_t *t, const int16_t *x, int64_t products[5])
{
    int64_t at_0 = 0;
    int64_t at_2 = 0;
    int64_t at_4 = 0;
    ein_pair_t a = ein_pair_load(x);
    ein_pair_t b = ein_pair_load(x + 2);
    ein_pair_t c;
    ein_pair_t ts;
#define STEP(i, first, second, third)                                                              \
    ts = ein_pair_load(t + 2 * (i));                                                               \
    third = ein_pair_load(x + 2 * (i) + 4);                                                        \
    at_0 = ein_pair_dot(at_0, ts, first);                                                          \
    at_2 = ein_pair_dot(at_2, ts, second);                                                         \
    at_4 = ein_pair_dot(at_4, ts, third)
    for (const int16_t *const last = t + QRS_SAMPLES - 2; t != last; t += 6, x += 6) {
        STEP(0, a, b, c);
        STEP(1, b, c, a);
        STEP(2, c, a, b);
    }
    STEP(0, a, b, c);
#undef STEP
    products[0] = at_0;
    products[2] = at_2;
    products[4] = at_4;
}

/* A beat's QRS at each alignment, as far as a template has asked. */
typedef struct {
    ein_deviation_t at[ALIGNMENTS];
    uint32_t known;
} aligned_t;

/* Compares the QRS at the alignment with the largest product; the mean of a QRS hardly changes
   within it. */
static ein_match_t match_qrs(const ein_template_t *slot, const ein_segment_t *beat,
                             aligned_t *aligned)
{
    const int16_t *t = slot->uv + QRS_FROM;
    const int16_t *x = beat->uv + QRS_FROM;
    int64_t products[ALIGNMENTS];
    three_products(t, x, products);
    three_products(t, x + 1, products + 1);
    products[6] = product(t, x + 6, QRS_SAMPLES);
    uint32_t best = 0;
    for (uint32_t i = 1; i < ALIGNMENTS; i++) {
        if (products[i] > products[best]) {
            best = i;
        }
    }
    if ((aligned->known >> best & 1u) == 0) {
        aligned->known |= 1u << best;
        aligned->at[best] = deviation_of(x + best, QRS_SAMPLES);
    }
    return match_of(&aligned->at[best], &slot->qrs, products[best], QRS_SAMPLES,
                    (int8_t)((int32_t)best - EIN_TEMPLATE_SHIFT_SAMPLES));
}

int32_t ein_templates_find(const ein_templates_t *templates, const ein_segment_t *beat,
                           const ein_shape_t *shape, ein_match_t matches[EIN_TEMPLATE_SLOTS])
{
    aligned_t aligned;
    aligned.known = 0;
    int32_t found = -1;
    int16_t best = EIN_TEMPLATE_SIMILAR_Q15;
    for (uint32_t i = 0; i < EIN_TEMPLATE_SLOTS; i++) {
        const ein_template_t *slot = &templates->slots[i];
        if (slot->beats == 0) {
            matches[i] = (ein_match_t){INT16_MIN, 0, 0, 0};
            continue;
        }
        matches[i] = match_qrs(slot, beat, &aligned);
        const int32_t louder_q8 = shape->amplitude_q8 - slot->shape.amplitude_q8;
        if (matches[i].correlation_q15 >= best && louder_q8 <= EIN_TEMPLATE_LOUDER_Q8 &&
            louder_q8 >= -EIN_TEMPLATE_LOUDER_Q8) {
            best = matches[i].correlation_q15;
            found = (int32_t)i;
        }
    }
    return found;
}

/* How much a template speaks for being the patient's normal beat: halved per octave of width. */
static uint32_t rank(const ein_template_t *slot, int16_t narrowest_q8)
{
    const int32_t wider_q8 = slot->shape.width_q8 - narrowest_q8;
    const uint32_t penalty_q8 = 256u + (uint32_t)(wider_q8 > 0 ? wider_q8 * 2 : 0);
    return (uint32_t)slot->score * 256u / penalty_q8;
}

static void judge(ein_templates_t *templates)
{
    int16_t narrowest_q8 = INT16_MAX;
    for (uint32_t i = 0; i < EIN_TEMPLATE_SLOTS; i++) {
        const ein_template_t *slot = &templates->slots[i];
        if (slot->share_q15 >= EIN_TEMPLATE_COMMON_Q15 && slot->shape.width_q8 < narrowest_q8) {
            narrowest_q8 = slot->shape.width_q8;
        }
    }
    uint32_t best = rank(&templates->slots[templates->dominant], narrowest_q8);
    best += best / 4u; /* a challenger must be clearly ahead */
    for (uint32_t i = 0; i < EIN_TEMPLATE_SLOTS; i++) {
        const uint32_t r = rank(&templates->slots[i], narrowest_q8);
        if (r > best) {
            best = r;
            templates->dominant = (uint8_t)i;
        }
    }
}

static uint32_t rarest(const ein_templates_t *templates)
{
    uint32_t slot = templates->dominant == 0 ? 1u : 0u;
    for (uint32_t i = 0; i < EIN_TEMPLATE_SLOTS; i++) {
        if (templates->slots[i].beats == 0) {
            return i;
        }
        if (i != templates->dominant &&
            templates->slots[i].share_q15 < templates->slots[slot].share_q15) {
            slot = i;
        }
    }
    return slot;
}

uint8_t ein_templates_learn(ein_templates_t *templates, int32_t found, const ein_segment_t *beat,
                            int8_t shift, int16_t premature_q8, int16_t pause_q8)
{
    const uint32_t index = found >= 0 ? (uint32_t)found : rarest(templates);
    ein_template_t *const slot = &templates->slots[index];
    if (found < 0) {
        memset(slot, 0, sizeof *slot);
        shift = 0;
    }
    if (slot->beats < UINT16_MAX) {
        slot->beats++;
    }
    const int32_t n = slot->beats < EIN_TEMPLATE_BEATS ? slot->beats : EIN_TEMPLATE_BEATS;
    const int16_t *x = beat->uv + EIN_TEMPLATE_SHIFT_SAMPLES + shift;
    if (n == 1) {
        memcpy(slot->uv, x, sizeof slot->uv);
    } else {
        const int32_t gain_q15 = 32768 / n; /* at most 1/2: a product fits int32 */
#pragma GCC unroll 4
        for (uint32_t i = 0; i < EIN_WINDOW_BEFORE_SAMPLES + EIN_WINDOW_AFTER_SAMPLES; i++) {
            const int32_t step = ((x[i] - slot->uv[i]) * gain_q15 + 16384) >> 15;
            slot->uv[i] = (int16_t)(slot->uv[i] + step); /* between the two */
        }
    }
    slot->prematurity_q8 =
        (int16_t)(slot->prematurity_q8 + (premature_q8 - slot->prematurity_q8) / n);
    slot->pause_q8 = (int16_t)(slot->pause_q8 + (pause_q8 - slot->pause_q8) / n);
    ein_shape_measure(&slot->shape, slot->uv);
    slot->qrs = deviation_of(slot->uv + QRS_FROM, QRS_SAMPLES);

    for (uint32_t i = 0; i < EIN_TEMPLATE_SLOTS; i++) {
        ein_template_t *const other = &templates->slots[i];
        other->score = (uint16_t)(other->score - other->score / EIN_TEMPLATE_MEMORY_BEATS);
        other->share_q15 =
            (uint16_t)(other->share_q15 - other->share_q15 / EIN_TEMPLATE_MEMORY_BEATS);
    }
    const uint32_t in_time = premature_q8 >= -EIN_TEMPLATE_PREMATURE_Q8;
    const uint32_t weight = in_time ? EIN_TEMPLATE_WEIGHT_IN_TIME : EIN_TEMPLATE_WEIGHT_PREMATURE;
    slot->score = (uint16_t)(slot->score + weight);
    slot->share_q15 = (uint16_t)(slot->share_q15 + 32768u / EIN_TEMPLATE_MEMORY_BEATS);
    judge(templates);
    return (uint8_t)index;
}
