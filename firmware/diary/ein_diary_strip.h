/* What a strip leaves in the log beside its events: its ECG without loss, and its verdict.
 * RAM: 0.4 KB, most of it the coder's.
 */
#ifndef EIN_DIARY_STRIP_H
#define EIN_DIARY_STRIP_H

#include "ein_diary.h"
#include "ein_log_ecg.h"
#include "ein_strip.h"

typedef struct {
    ein_log_ecg_coder_t ecg;
    uint16_t number; /* of the next one; 0 at power on */
    uint16_t gain_lsb_per_mv;
} ein_diary_strip_t;

/* Behind ein_diary_begin. */
void ein_diary_strip_begin(ein_diary_strip_t *strip, uint16_t gain_lsb_per_mv);

/* The next sample, beside ein_diary_sample. */
void ein_diary_strip_sample(ein_diary_strip_t *strip, ein_diary_t *diary, int16_t sample,
                            uint32_t now_ms);

/* Samples that never came, beside ein_diary_lost: a gap in the ECG, where it was. */
void ein_diary_strip_lost(ein_diary_strip_t *strip, ein_diary_t *diary, uint32_t samples,
                          uint32_t now_ms);

/* The strip has ended; verdict: NULL if it was given up. */
void ein_diary_strip_end(ein_diary_strip_t *strip, ein_diary_t *diary,
                         const ein_strip_verdict_t *verdict, uint32_t now_ms);

#endif
