/* A board's time: monotonic since power on, and the time of day once somebody has told it.
 *
 * The port's milliseconds wrap after 49 days; this does not, if it is called once in that time.
 * RAM: 32 B. No errors.
 */
#ifndef EIN_DIARY_CLOCK_H
#define EIN_DIARY_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint64_t uptime_ms;
    int64_t unix_ms_at_start; /* time of day when the board was switched on */
    uint32_t seen_ms;         /* the port's, when it was last looked at */
    bool known;
} ein_diary_clock_t;

void ein_diary_clock_init(ein_diary_clock_t *clock, uint32_t port_ms);

/* The port's clock says port_ms. */
void ein_diary_clock_step(ein_diary_clock_t *clock, uint32_t port_ms);

/* It is unix_ms now. Returns by how much the clock was moved, saturating; 0 if it knew none. */
int32_t ein_diary_clock_set(ein_diary_clock_t *clock, uint64_t unix_ms);

/* Seconds since 1970, UTC; 0: nobody has told. */
uint32_t ein_diary_clock_unix_s(const ein_diary_clock_t *clock);

#endif
