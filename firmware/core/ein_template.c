#include "ein_template.h"

#include <string.h>

#include "ein_fixed.h"
#include "ein_pair.h"

#define QRS_FROM (EIN_WINDOW_BEFORE_SAMPLES - EIN_TEMPLATE_QRS_BEFORE_SAMPLES)
#define QRS_TO (EIN_WINDOW_BEFORE_SAMPLES + EIN_TEMPLATE_QRS_AFTER_SAMPLES)

void ein_templates_init(ein_templates_t *templates)
{
    memset(templates, 0, sizeof *templates);
}

void ein_shape_measure(ein_shape_t *shape, const int16_t *window_uv)
{
    const int32_t base = (window_uv[QRS_FROM] + window_uv[QRS_TO - 1]) / 2;
    int32_t low = INT16_MAX;
    int32_t high = INT16_MIN;
    uint32_t area = 0;
    uint32_t travel = 0;
    uint32_t steepest = 1;
    int32_t before = window_uv[QRS_FROM - 1];
    int32_t x = window_uv[QRS_FROM];
    for (uint32_t i = QRS_FROM; i < QRS_TO; i++) {
        const int32_t after = window_uv[i + 1u];
        const uint32_t slope = ein_magnitude(after - before);
        low = x < low ? x : low;
        high = x > high ? x : high;
        area += ein_magnitude(x - base);
        travel += slope;
        steepest = slope > steepest ? slope : steepest;
        before = x;
        x = after;
    }
    const uint32_t span = high > low ? (uint32_t)(high - low) : 1u;
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
    const uint64_t whole = value < 0 ? (uint64_t)0 - (uint64_t)value : (uint64_t)value;
    const uint32_t high = (uint32_t)(whole >> 16);
    const uint32_t rest = (high % n) << 16 | (uint32_t)(whole & 0xFFFFu);
    const int64_t quotient = (int64_t)(((uint64_t)(high / n) << 16) + rest / n);
    return value < 0 ? -quotient : quotient;
}

ein_match_t ein_template_compare(const ein_template_t *slot, const ein_segment_t *beat,
                                 int8_t shift, uint32_t from, uint32_t to)
{
    const int16_t *t = slot->uv + from;
    const int16_t *x = beat->uv + from + (uint32_t)(EIN_TEMPLATE_SHIFT_SAMPLES + shift);
    const uint32_t n = to - from;
    int64_t xx = 0;
    int64_t tt = 0;
    int64_t xt = 0;
    int32_t x_sum = 0;
    int32_t t_sum = 0;
    for (uint32_t i = 0; i + 1u < n; i += 2) {
        const ein_pair_t xs = ein_pair_load(x + i);
        const ein_pair_t ts = ein_pair_load(t + i);
        xx = ein_pair_dot(xx, xs, xs);
        tt = ein_pair_dot(tt, ts, ts);
        xt = ein_pair_dot(xt, xs, ts);
        x_sum = ein_pair_sum(x_sum, xs);
        t_sum = ein_pair_sum(t_sum, ts);
    }
    if (n % 2u != 0) {
        const int32_t last_x = x[n - 1u];
        const int32_t last_t = t[n - 1u];
        xx += last_x * last_x;
        tt += last_t * last_t;
        xt += last_x * last_t;
        x_sum += last_x;
        t_sum += last_t;
    }
    xx -= divide((int64_t)x_sum * x_sum, n);
    tt -= divide((int64_t)t_sum * t_sum, n);
    xt -= divide((int64_t)x_sum * t_sum, n);
    xx = xx < 0 ? 0 : xx;
    tt = tt < 0 ? 0 : tt;
    const int64_t residual = xx + tt - 2 * xt;
    ein_match_t match;
    match.shift = shift;
    match.residual = residual < 0 ? 0 : (uint64_t)residual;
    match.reference = (uint64_t)tt;
    match.correlation_q15 =
        ein_ratio_q15(xt, (uint64_t)ein_sqrt((uint64_t)xx) * ein_sqrt((uint64_t)tt) + 1u);
    return match;
}

/* Products of a template with the beat at two neighbouring alignments: they share its loads. */
static void correlate_pair(const int16_t *t, const int16_t *x, int64_t products[2])
{
    int64_t at_0 = 0;
    int64_t at_1 = 0;
#pragma GCC unroll 2
    for (uint32_t i = 0; i < QRS_TO - QRS_FROM; i += 2) {
        const ein_pair_t ts = ein_pair_load(t + i);
        at_0 = ein_pair_dot(at_0, ts, ein_pair_load(x + i));
        at_1 = ein_pair_dot(at_1, ts, ein_pair_load(x + i + 1u));
    }
    products[0] = at_0;
    products[1] = at_1;
}

ein_match_t ein_template_match(const ein_template_t *slot, const ein_segment_t *beat)
{
    /* The alignment with the largest product; the mean of a QRS hardly changes within it. The last
       pair reaches one alignment too far, which is left out. */
    const int16_t *t = slot->uv + QRS_FROM;
    const int16_t *x = beat->uv + QRS_FROM;
    int64_t best = INT64_MIN;
    int32_t at = 0;
    for (int32_t s = 0; s <= 2 * EIN_TEMPLATE_SHIFT_SAMPLES; s += 2) {
        int64_t products[2];
        correlate_pair(t, x + s, products);
        if (products[0] > best) {
            best = products[0];
            at = s;
        }
        if (products[1] > best && s < 2 * EIN_TEMPLATE_SHIFT_SAMPLES) {
            best = products[1];
            at = s + 1;
        }
    }
    const int8_t shift = (int8_t)(at - EIN_TEMPLATE_SHIFT_SAMPLES);
    return ein_template_compare(slot, beat, shift, QRS_FROM, QRS_TO);
}

int32_t ein_templates_find(const ein_templates_t *templates, const ein_segment_t *beat,
                           const ein_shape_t *shape, ein_match_t matches[EIN_TEMPLATE_SLOTS])
{
    int32_t found = -1;
    int16_t best = EIN_TEMPLATE_SIMILAR_Q15;
    for (uint32_t i = 0; i < EIN_TEMPLATE_SLOTS; i++) {
        const ein_template_t *slot = &templates->slots[i];
        if (slot->beats == 0) {
            matches[i] = (ein_match_t){INT16_MIN, 0, 0, 0};
            continue;
        }
        matches[i] = ein_template_match(slot, beat);
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
