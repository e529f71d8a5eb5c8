#include "ein_device_pattern.h"

#include <assert.h>

#include "ein_device_table.h"

#define SLOTS_MASK 0x1Fu
#define LED_BIT 0x20u
#define TONE_SHIFT 6

typedef char ein_check_patterns[EIN_DEVICE_PATTERNS <= 32u ? 1 : -1];

void ein_device_pattern_init(ein_device_patterns_t *patterns)
{
    *patterns = (ein_device_patterns_t){.shown = EIN_DEVICE_PATTERN_NONE};
}

static uint8_t rank_of(uint8_t pattern)
{
    return pattern == EIN_DEVICE_PATTERN_NONE ? 0u : ein_device_patterns[pattern].rank;
}

static uint8_t highest(const ein_device_patterns_t *patterns)
{
    uint8_t best = EIN_DEVICE_PATTERN_NONE;
    for (uint8_t i = 0; i < EIN_DEVICE_PATTERNS; i++) {
        if ((patterns->held >> i & 1u) != 0 && rank_of(i) > rank_of(best)) {
            best = i;
        }
    }
    return best;
}

/* A pattern of so many times that is not the one shown has been given up. */
static void drop_finite(ein_device_patterns_t *patterns)
{
    for (uint8_t i = 0; i < EIN_DEVICE_PATTERNS; i++) {
        if (ein_device_patterns[i].times > 0 && i != patterns->shown) {
            patterns->held &= ~(1u << i);
        }
    }
}

void ein_device_pattern_hold(ein_device_patterns_t *patterns, uint8_t pattern, bool holds)
{
    assert(pattern < EIN_DEVICE_PATTERNS);
    if (holds) {
        patterns->held |= 1u << pattern;
    } else {
        patterns->held &= ~(1u << pattern);
    }
}

void ein_device_pattern_once(ein_device_patterns_t *patterns, uint8_t pattern)
{
    assert(pattern < EIN_DEVICE_PATTERNS && ein_device_patterns[pattern].times > 0);
    if (rank_of(pattern) < rank_of(highest(patterns))) {
        return;
    }
    patterns->held |= 1u << pattern;
    patterns->shown = EIN_DEVICE_PATTERN_NONE; /* from its beginning, even if it is shown now */
}

static void begin_step(ein_device_patterns_t *patterns, uint32_t from_ms)
{
    const ein_device_pattern_row_t *row = &ein_device_patterns[patterns->shown];
    const uint8_t code = ein_device_steps[row->first + patterns->step];
    patterns->led = (code & LED_BIT) != 0;
    patterns->tone = (uint8_t)(code >> TONE_SHIFT);
    patterns->until_ms = from_ms + (code & SLOTS_MASK) * EIN_DEVICE_SLOT_MS;
}

/* The pattern that now is the highest; from_ms: when it begins. */
static void choose(ein_device_patterns_t *patterns, uint32_t from_ms)
{
    const uint8_t best = highest(patterns);
    if (best == patterns->shown) {
        return;
    }
    patterns->shown = best;
    drop_finite(patterns);
    patterns->step = 0;
    patterns->led = false;
    patterns->tone = 0;
    if (best != EIN_DEVICE_PATTERN_NONE) {
        patterns->left = ein_device_patterns[best].times;
        begin_step(patterns, from_ms);
    }
}

static void next_step(ein_device_patterns_t *patterns)
{
    const ein_device_pattern_row_t *row = &ein_device_patterns[patterns->shown];
    const uint32_t from_ms = patterns->until_ms;
    patterns->step++;
    if (patterns->step == row->count) {
        patterns->step = 0;
        if (row->times > 0 && --patterns->left == 0) {
            patterns->held &= ~(1u << patterns->shown);
            patterns->shown = EIN_DEVICE_PATTERN_NONE;
            choose(patterns, from_ms);
            return;
        }
    }
    begin_step(patterns, from_ms);
}

bool ein_device_pattern_step(ein_device_patterns_t *patterns, uint32_t now_ms)
{
    const bool led = patterns->led;
    const uint8_t tone = patterns->tone;
    choose(patterns, now_ms);
    /* A step more per turn at most: after a stall the pattern is late, not in a hurry. */
    if (patterns->shown != EIN_DEVICE_PATTERN_NONE && (int32_t)(now_ms - patterns->until_ms) >= 0) {
        if (now_ms - patterns->until_ms > EIN_DEVICE_SLOT_MS) {
            patterns->until_ms = now_ms;
        }
        next_step(patterns);
    }
    if (patterns->shown == EIN_DEVICE_PATTERN_NONE) {
        patterns->led = false;
        patterns->tone = 0;
    }
    return led != patterns->led || tone != patterns->tone;
}

const char *ein_device_pattern_text(uint8_t pattern)
{
    return pattern < EIN_DEVICE_PATTERNS ? ein_device_patterns[pattern].text : "";
}

uint16_t ein_device_pattern_tone_hz(uint8_t tone)
{
    static const uint16_t hz[4] = {0, EIN_DEVICE_TONES_LOW, EIN_DEVICE_TONES_MIDDLE,
                                   EIN_DEVICE_TONES_HIGH};
    return hz[tone & 3u];
}
