/* From a driver's interrupt to the main loop: numbers samples by time, decimates, keeps a ring.
 *
 * One producer (interrupt) and one consumer (main loop), no lock. The ring holds
 * EIN_FEED_RING samples at 180 Hz: 0.18 s, longer than a turn of the main loop takes; while a
 * sector of flash is erased the core stands still, and nothing comes. What does not fit is a gap.
 * RAM: 304 B.
 */
#ifndef EIN_FEED_H
#define EIN_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "ein_clock.h"
#include "ein_decimator.h"

#define EIN_FEED_RING 32u /* a power of two: its counts wrap */

/* Electrodes that are off: bits. */
#define EIN_LEAD_P 1u
#define EIN_LEAD_N 2u

typedef struct {
    uint32_t samples;  /* of the part, that came and were good */
    uint32_t lost;     /* of the part, that did not */
    uint32_t overruns; /* samples at the core's rate for which the ring had no room */
    uint32_t late;     /* interrupts so late that a sample was overwritten */
    uint32_t stuck;    /* times that no data-ready came, and the part was set up anew */
    uint32_t corrupt;  /* words whose fixed bits or second reading differ */
    uint32_t resets;   /* times that the part had lost its set-up */
    uint32_t spurious; /* edges when nothing could be ready */
    int32_t clock_ppm; /* the part's clock against the board's, as last measured; 0 at first */
} ein_feed_stats_t;

typedef struct {
    int16_t count;
    uint16_t tag; /* lost in the low 13 bits; EIN_LEAD_* above; top bit: no sample */
} ein_feed_entry_t;

/* Private. */
typedef struct {
    ein_clock_t clock;
    ein_decimator_t decimator;
    ein_feed_stats_t stats;
    int16_t rail_lo, rail_hi;
    uint16_t spoilt;   /* samples of the part until no bad one is under the filter */
    uint16_t unfilled; /* the same for those that did not come */
    uint8_t leads;
    bool silent;   /* since the last edge it has been seen that nothing comes */
    bool begun;    /* a sample has been given */
    uint32_t lost; /* at the core's rate, not yet told */
    volatile uint32_t head, tail;
    ein_feed_entry_t ring[EIN_FEED_RING];
} ein_feed_t;

/* Everything anew; `table` is that of the part's rate. */
void ein_feed_init(ein_feed_t *feed, const ein_decimator_table_t *table, int16_t rail_lo,
                   int16_t rail_hi);

/* A sample of the part is ready at us; false: it cannot be (spurious). Tells what has been lost
   since the one before. Call it before ein_feed_push or ein_feed_bad, once for each edge. */
bool ein_feed_edge(ein_feed_t *feed, uint32_t us);

/* The same for n samples, 1..40, of which the last was ready at us: behind a gap. */
bool ein_feed_edges(ein_feed_t *feed, uint32_t us, uint32_t n);

/* The same for n samples that a part has kept without a gap, read at us. */
void ein_feed_follow(ein_feed_t *feed, uint32_t us, uint32_t n);

/* Main loop, held: nothing comes; what should have come by now is lost, and told as a gap. */
void ein_feed_silent(ein_feed_t *feed, uint32_t us);

/* A sample of the part, in counts as they are taken, and the electrodes that are off. */
void ein_feed_push(ein_feed_t *feed, int16_t count, uint8_t leads);

/* n samples of the part that did not come, or came corrupt. */
void ein_feed_bad(ein_feed_t *feed, uint32_t n);

/* Main loop: the oldest entry. */
bool ein_feed_take(ein_feed_t *feed, ein_feed_entry_t *entry);

#endif
