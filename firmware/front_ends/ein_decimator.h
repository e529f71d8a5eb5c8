/* From a part's rate to the core's 180 Hz: up by L, through a low-pass, down by M, in integers.
 *
 * 180 divides none of 250, 500, 512 and 1000, so the ratio is rational (9/25 of 500 Hz, 45/128 of
 * 512): a polyphase filter computes only the outputs that are kept, and only with taps that meet a
 * sample. Coefficients Q15, designed by codegen/decimator.py from codegen/spec/front_ends.toml with
 * every phase's gain 1, accumulated in int32, rounded to nearest, saturated to int16. No overflow:
 * the sum of a phase's magnitudes is below 2, which the generator asserts.
 * RAM: 2 B a tap and 16 B. No errors.
 */
#ifndef EIN_DECIMATOR_H
#define EIN_DECIMATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "ein_decimator_table.h"

typedef struct {
    uint16_t rate_hz;
    uint8_t up, taps; /* L; samples under the filter */
    uint16_t down;    /* M */
    uint16_t delay_us;
    const int16_t *coef_q15; /* [up][taps], newest sample first */
} ein_decimator_table_t;

extern const ein_decimator_table_t ein_decimator_250, ein_decimator_360, ein_decimator_500,
    ein_decimator_512, ein_decimator_1000;

typedef struct {
    const ein_decimator_table_t *table;
    uint16_t phase; /* of the next output, in steps of 1/L sample */
    uint8_t newest; /* place in the history */
    int16_t history[EIN_DECIMATOR_MAX_TAPS];
} ein_decimator_t;

/* History zero; the first output comes with the first sample. */
void ein_decimator_init(ein_decimator_t *decimator, const ein_decimator_table_t *table);

/* A sample in; true, and *out, if an output falls to it. At most one does: L <= M. */
bool ein_decimator_push(ein_decimator_t *decimator, int16_t sample, int16_t *out);

/* n samples that did not come; returns how many outputs would have fallen to them. */
uint32_t ein_decimator_skip(ein_decimator_t *decimator, uint32_t n);

#endif
