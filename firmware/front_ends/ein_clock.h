/* Which sample of the part an edge belongs to, by the board's clock; and how far the two clocks are
 * apart.
 *
 * Follows the part's period: an edge from a quarter of a period before it was due to three quarters
 * behind (an interrupt may be late, never early) is that sample, and pulls the expectation 1/8 of
 * the way; after n more periods n samples have gone by. Over a gap the expectation runs on at the
 * last measured period, so a count is right as long as the drift over the gap stays below a quarter
 * of a period: 5 ppm of change over 100 s at 500 Hz. An interrupt served within the last quarter
 * before the next one is told as that, which then is one too many: numbering is right, one lost.
 *
 * The clock's error is measured over windows of 8192 periods (16.4 s at 500 Hz), in which jitter of
 * 10 us is 0.6 ppm, and only over windows in which no more than EIN_CLOCK_BRIDGE samples in a row
 * were counted by expectation alone. Periods in us, Q12. RAM: 32 B. No errors.
 */
#ifndef EIN_CLOCK_H
#define EIN_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define EIN_CLOCK_WINDOW 8192u
#define EIN_CLOCK_BRIDGE 64u
/* The widest that a part's clock may be off, and is still followed. ADS1292R: 2 % over temperature
   (SBAS502C, 7.5, "Internal clock accuracy"). */
#define EIN_CLOCK_MAX_PPM 25000

typedef struct {
    uint32_t nominal_q12, period_q12;
    uint32_t due_us;       /* of the next sample */
    uint32_t due_frac_q12; /* and what is below a microsecond */
    uint32_t window_us;    /* when the window began */
    uint32_t window_count; /* periods since then */
    int32_t ppm;
    bool running;
} ein_clock_t;

/* rate_hz 250..1000. */
void ein_clock_init(ein_clock_t *clock, uint16_t rate_hz);

/* n samples, 1..40, of which the last was ready at us. Returns how many should have come before
   them and did not, 0 normally; -1: so many cannot be ready yet, and nothing has changed. */
int32_t ein_clock_edge(ein_clock_t *clock, uint32_t us, uint32_t n);

/* n samples, 1..40, that follow the ones before without a gap, read at us: the last was ready
   then or up to a period earlier. */
void ein_clock_follow(ein_clock_t *clock, uint32_t us, uint32_t n);

/* Samples that should have come by us and did not; counts them as gone. */
uint32_t ein_clock_overdue(ein_clock_t *clock, uint32_t us);

#endif
