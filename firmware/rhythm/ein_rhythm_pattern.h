/* Patterns of beats: couplets, runs, bigeminy, trigeminy, pauses, slow and fast rates.
 *
 * From times and classes alone, so that reference annotations run through the same code. Nothing
 * goes on over a beat with EIN_FLAG_BREAK. The alarm of ventricular tachycardia alone asks how
 * certain the classes are: at 200 a minute many a beat is called N with half a heart. Definitions:
 * codegen/spec/rhythm.toml, docs/rhythm.md. Told when they are over; rates that last, and alarms,
 * also when they are known to have begun. Rates are compared in integers, exactly. RAM: 270 B. No
 * errors.
 */
#ifndef EIN_RHYTHM_PATTERN_H
#define EIN_RHYTHM_PATTERN_H

#include "ein_rhythm_types.h"

#define EIN_RHYTHM_RATES 4u /* slow, fast, and the alarms of either */
#define EIN_RHYTHM_CYCLES 2u
#define EIN_RHYTHM_TIMES (EIN_RHYTHM_RATE_ALARM_FAST_INTERVALS + 1u)

typedef struct {
    uint32_t begin_samples, last_samples;
    uint32_t last_beat; /* number of the last beat that belongs to it */
    bool active;
} ein_rhythm_rate_t;

/* Every second or third beat a single ventricular one. */
typedef struct {
    uint32_t begin_samples, last_samples;
    uint32_t last_beat;
    uint8_t count; /* single beats at that distance so far, saturating */
} ein_rhythm_cycle_t;

typedef struct {
    uint32_t beats;      /* so far: number of the next one */
    uint32_t whole_from; /* the first beat since the last break */
    uint32_t run_begin_samples, run_last_samples, run_beats;
    uint32_t last_v, before_v; /* numbers, plus one, of the last ventricular beats; 0: none */
    uint8_t run_class;         /* EIN_CLASS_V (V or F), EIN_CLASS_S, or EIN_CLASS_N: no run */
    bool alarm;                /* of ventricular tachycardia: it lasts */
    uint32_t alarm_begin_samples, alarm_last_samples;
    uint32_t suspects, told_v; /* the last beats, newest lowest: may be, is called ventricular */
    ein_rhythm_rate_t rates[EIN_RHYTHM_RATES];
    ein_rhythm_cycle_t cycles[EIN_RHYTHM_CYCLES];
    uint32_t times[EIN_RHYTHM_TIMES]; /* of beats, by their number: a ring */
} ein_rhythm_pattern_t;

/* The next beat. */
void ein_rhythm_pattern_beat(ein_rhythm_pattern_t *pattern, const ein_rhythm_beat_t *beat,
                             ein_rhythm_queue_t *queue);

/* No beat follows: tells what is still open. */
void ein_rhythm_pattern_finish(ein_rhythm_pattern_t *pattern, ein_rhythm_queue_t *queue);

#endif
