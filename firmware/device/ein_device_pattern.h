/* LED and buzzer: of the patterns that hold, the one of the highest rank is shown.
 *
 *     ein_device_pattern_hold(&patterns, EIN_DEVICE_PATTERN_NOISY, true);    while it holds
 *     ein_device_pattern_once(&patterns, EIN_DEVICE_PATTERN_BEAT);           shown so often, then
 * gone if (ein_device_pattern_step(&patterns, now_ms)) { show(patterns.led, patterns.tone); }
 *
 * What they look like, and their ranks: codegen/spec/device.toml. A pattern begins anew when it
 * becomes the one shown; one that is shown a number of times is given up when a higher one comes.
 * Of two with one rank the first of the table is shown. Times in ms, which may wrap. RAM: 24 B. No
 * errors.
 */
#ifndef EIN_DEVICE_PATTERN_H
#define EIN_DEVICE_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

#include "ein_device_spec.h"

#define EIN_DEVICE_PATTERN_NONE 0xFFu

typedef struct {
    uint32_t held;     /* bits: patterns that hold */
    uint32_t until_ms; /* when the step that is shown ends */
    uint8_t shown;     /* EIN_DEVICE_PATTERN_NONE: none */
    uint8_t step;      /* of it */
    uint8_t left;      /* times still to be shown; 0: without end */
    bool led;
    uint8_t tone; /* 0: silence; 1 to 3: low, middle, high */
} ein_device_patterns_t;

void ein_device_pattern_init(ein_device_patterns_t *patterns);

/* The pattern begins, or ends, to hold. */
void ein_device_pattern_hold(ein_device_patterns_t *patterns, uint8_t pattern, bool holds);

/* Shows a pattern with a number of `times` from its beginning, unless a higher one holds. */
void ein_device_pattern_once(ein_device_patterns_t *patterns, uint8_t pattern);

/* The time is now_ms: true if LED or tone have changed. */
bool ein_device_pattern_step(ein_device_patterns_t *patterns, uint32_t now_ms);

/* What the display says of a pattern: at most 16 characters; "" of EIN_DEVICE_PATTERN_NONE. */
const char *ein_device_pattern_text(uint8_t pattern);

/* Frequency of a tone in Hz; 0 is silence. */
uint16_t ein_device_pattern_tone_hz(uint8_t tone);

#endif
