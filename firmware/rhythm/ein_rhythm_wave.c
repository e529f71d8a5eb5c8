#include "ein_rhythm_wave.h"

#include <string.h>

#include "ein_fixed.h"

#define STRIDE 3u
#define POINTS (EIN_RHYTHM_WAVE_WINDOW_SAMPLES / STRIDE)
#define MOST_USUAL 16u /* windows that the usual size goes back */
#define HIDDEN (EIN_FLAG_FLAT | EIN_FLAG_LEAD_OFF | EIN_FLAG_GAP)

void ein_rhythm_wave_init(ein_rhythm_wave_t *wave)
{
    memset(wave, 0, sizeof *wave);
    wave->until_hop = EIN_RHYTHM_WAVE_HOP_SAMPLES;
}

static int32_t at(const ein_ring_t *ring, uint32_t from, uint32_t point)
{
    return ein_ring_at(ring, from + STRIDE * point);
}

/* Leakage and rest together, Q8, of a window with that mean and largest size. */
static int32_t shape_q8(const ein_ring_t *ring, uint32_t from, uint32_t total, uint32_t steps,
                        uint32_t largest)
{
    uint32_t half = (total * 22u / 7u + steps / 2u) / steps; /* half a period, in points */
    half = half < 2 ? 2 : half > POINTS / 2u ? POINTS / 2u : half;
    uint32_t sums = 0;
    uint32_t sizes = 0;
    uint32_t resting = 0;
    for (uint32_t i = 0; i < POINTS; i++) {
        const int32_t x = at(ring, from, i);
        const uint32_t size = ein_magnitude(x);
        resting += size * 5u < largest;
        if (i >= half) {
            const int32_t before = at(ring, from, i - half);
            sums += ein_magnitude(x + before);
            sizes += size + ein_magnitude(before);
        }
    }
    return (int32_t)(256u * sums / (sizes + 1u) + 256u * resting / POINTS); /* sums < 2^23 */
}

/* The second that has just passed. */
static ein_rhythm_block_t measure(const ein_ring_t *ring)
{
    const uint32_t from = ring->end_samples - EIN_RHYTHM_WAVE_HOP_SAMPLES;
    ein_rhythm_block_t block = {0, 0, 0, 0};
    int32_t last = at(ring, from - STRIDE, 0);
    for (uint32_t i = 0; i < EIN_RHYTHM_WAVE_HOP_SAMPLES / STRIDE; i++) {
        const int32_t x = at(ring, from, i);
        const uint32_t size = ein_magnitude(x);
        block.total_uv += size;
        block.steps_uv += ein_magnitude(x - last);
        block.turns += (x < 0) != (last < 0);
        block.largest_uv = size > block.largest_uv ? size : block.largest_uv;
        last = x;
    }
    return block;
}

/* What the last window, of two seconds, says of flutter or fibrillation, Q8. */
static int32_t look(ein_rhythm_wave_t *wave, const ein_ring_t *ring)
{
    const ein_rhythm_block_t before = wave->before;
    const ein_rhythm_block_t block = measure(ring);
    const uint32_t from = ring->end_samples - EIN_RHYTHM_WAVE_WINDOW_SAMPLES;
    const uint32_t total = before.total_uv + block.total_uv;
    const uint32_t steps = before.steps_uv + block.steps_uv;
    const uint32_t largest =
        before.largest_uv > block.largest_uv ? before.largest_uv : block.largest_uv;
    wave->before = block;
    wave->largest_uv = largest;
    const uint32_t speed_q8 = 256u * steps / (total + 1u); /* both < 2^23 */
    if (steps == 0 || total < EIN_RHYTHM_WAVE_LEAST_UV * POINTS ||
        speed_q8 > EIN_RHYTHM_WAVE_FASTEST_Q8 ||
        16u * largest > EIN_RHYTHM_WAVE_CREST_Q4 * (total / POINTS)) {
        return -EIN_RHYTHM_WAVE_MOST_Q8;
    }
    const int32_t evidence = EIN_RHYTHM_WAVE_LIMIT_Q8 - shape_q8(ring, from, total, steps, largest);
    if (before.turns + block.turns < EIN_RHYTHM_WAVE_LEAST_TURNS &&
        evidence > -EIN_RHYTHM_WAVE_MOST_Q8 / 4) {
        return -EIN_RHYTHM_WAVE_MOST_Q8 / 4;
    }
    return evidence > EIN_RHYTHM_WAVE_MOST_Q8    ? EIN_RHYTHM_WAVE_MOST_Q8
           : evidence < -EIN_RHYTHM_WAVE_MOST_Q8 ? -EIN_RHYTHM_WAVE_MOST_Q8
                                                 : evidence;
}

static void decide(ein_rhythm_wave_t *wave, int32_t evidence_q8, uint32_t now,
                   ein_rhythm_queue_t *queue)
{
    /* The evidence of a window is of its middle; a turning point lies before it. */
    if (!wave->looked) {
        wave->looked = true; /* a window needs a second more */
        evidence_q8 = 0;
        wave->turn_samples = now - EIN_RHYTHM_WAVE_WINDOW_SAMPLES;
    }
    wave->sum_q8 += wave->fibrillates ? -evidence_q8 : evidence_q8;
    if (wave->sum_q8 <= 0) {
        wave->sum_q8 = 0;
        wave->turn_samples =
            now - EIN_RHYTHM_WAVE_WINDOW_SAMPLES / 2 + EIN_RHYTHM_WAVE_HOP_SAMPLES / 2;
    }
    if (wave->sum_q8 <= EIN_RHYTHM_WAVE_DECIDE_Q8) {
        return;
    }
    wave->sum_q8 = 0;
    wave->fibrillates = !wave->fibrillates;
    if (wave->fibrillates) {
        wave->begin_samples = wave->turn_samples;
        ein_rhythm_put(queue, EIN_RHYTHM_VF, EIN_RHYTHM_BEGIN, wave->begin_samples, 0);
    } else {
        ein_rhythm_put(queue, EIN_RHYTHM_VF, EIN_RHYTHM_END, wave->begin_samples,
                       wave->turn_samples);
    }
    wave->turn_samples = now - EIN_RHYTHM_WAVE_WINDOW_SAMPLES / 2 + EIN_RHYTHM_WAVE_HOP_SAMPLES / 2;
}

/* Asystole, from what the last windows showed. */
static void listen(ein_rhythm_wave_t *wave, bool hidden, uint32_t now, uint32_t beat_samples,
                   bool any, ein_rhythm_queue_t *queue)
{
    const bool quiet =
        wave->largest_uv * 256u < wave->usual_uv * EIN_RHYTHM_ASYSTOLE_QUIET_Q8 && !hidden;
    wave->quiet = (uint8_t)(!quiet ? 0 : wave->quiet < UINT8_MAX ? wave->quiet + 1u : UINT8_MAX);
    if (hidden) {
        wave->hidden_samples = now;
        wave->heard = true;
    }
    uint32_t silent = now - beat_samples;
    if (wave->heard && now - wave->hidden_samples < silent) {
        silent = now - wave->hidden_samples; /* nothing is known from before */
    }
    if (any && now - beat_samples < EIN_RHYTHM_WAVE_WINDOW_SAMPLES && !hidden) {
        if (wave->windows < MOST_USUAL) {
            wave->windows++;
        }
        const int32_t change = (int32_t)wave->largest_uv - (int32_t)wave->usual_uv;
        wave->usual_uv = (uint32_t)((int32_t)wave->usual_uv + change / wave->windows);
    }
    const uint32_t hops = (EIN_RHYTHM_ASYSTOLE_SAMPLES - EIN_RHYTHM_WAVE_WINDOW_SAMPLES) /
                          EIN_RHYTHM_WAVE_HOP_SAMPLES;
    if (any && !wave->asystole && silent >= EIN_RHYTHM_ASYSTOLE_SAMPLES && wave->quiet >= hops) {
        wave->asystole = true;
        wave->asystole_begin = beat_samples;
        ein_rhythm_put(queue, EIN_RHYTHM_ASYSTOLE, EIN_RHYTHM_BEGIN, beat_samples, 0);
    }
}

void ein_rhythm_wave_signal(ein_rhythm_wave_t *wave, uint16_t state)
{
    wave->hidden |= (state & HIDDEN) != 0;
}

void ein_rhythm_wave_hop(ein_rhythm_wave_t *wave, const ein_ring_t *ring, uint16_t state,
                         uint32_t beat_samples, bool any, ein_rhythm_queue_t *queue)
{
    const uint32_t now = ring->end_samples;
    const bool hidden = wave->hidden || (state & HIDDEN) != 0;
    wave->hidden = false;
    wave->until_hop = EIN_RHYTHM_WAVE_HOP_SAMPLES;
    int32_t evidence = look(wave, ring);
    if (hidden) {
        evidence = -EIN_RHYTHM_WAVE_MOST_Q8;
    }
    decide(wave, evidence, now, queue);
    listen(wave, hidden, now, beat_samples, any, queue);
}

void ein_rhythm_wave_beat(ein_rhythm_wave_t *wave, uint32_t t_samples, ein_rhythm_queue_t *queue)
{
    if (wave->asystole) {
        wave->asystole = false;
        ein_rhythm_put(queue, EIN_RHYTHM_ASYSTOLE, EIN_RHYTHM_END, wave->asystole_begin, t_samples);
    }
}

void ein_rhythm_wave_finish(ein_rhythm_wave_t *wave, uint32_t end_samples,
                            ein_rhythm_queue_t *queue)
{
    ein_rhythm_wave_beat(wave, end_samples, queue);
    if (wave->fibrillates) {
        wave->fibrillates = false;
        ein_rhythm_put(queue, EIN_RHYTHM_VF, EIN_RHYTHM_END, wave->begin_samples, end_samples);
    }
}
