/* A front end: what stands between electrodes and core, as samples at the core's rate.
 *
 *     part's data-ready -> driver (interrupt) -> ein_feed: numbered by time, decimated -> ring
 *     main loop: ein_front_end_step, ein_front_end_take
 *
 * Three drivers stand behind it; a board names one when it calls ein_front_end_init.
 *
 * Samples are numbered by time: every data-ready edge carries the board's clock, and what should
 * have come since the one before and did not is lost, whatever the reason. So an overrun, a late or
 * a missing interrupt, a stuck line, a corrupt word and a reset of the part all end as a gap of
 * known length: never silence, never a hang.
 *
 * A sample is given only if every sample of the part that the decimator weighs came, good; so one
 * that is lost costs the filter's length (36 ms at 500 Hz), all of it counted.
 *
 * Counts are int16. A sample with an electrode off, or with a saturated one under the filter, is
 * given as rail_hi, which the core takes for what it is. RAM: 328 B. Delay: filter's, see
 * ein_front_end_info_t.
 */
#ifndef EIN_FRONT_END_H
#define EIN_FRONT_END_H

#include <stdbool.h>
#include <stdint.h>

#include "ein_feed.h"

typedef enum {
    EIN_FRONT_END_ELECTRODES = 0,
    EIN_FRONT_END_SHORTED = 1, /* noise of the part alone */
    EIN_FRONT_END_TEST = 2,    /* the part's own square wave, test_uv peak to peak */
} ein_front_end_input_t;

typedef struct {
    const char *name;         /* of the part */
    uint16_t rate_hz;         /* at which the part converts; taken are EIN_PIPELINE_RATE_HZ */
    uint16_t gain_lsb_per_mv; /* of the samples taken: as in ein_wire_start_t */
    int16_t rail_lo, rail_hi; /* likewise */
    uint8_t bits;             /* of the samples taken, sign included */
    uint16_t delay_us;        /* from the middle of a sample at the electrodes until it is made */
    uint16_t test_uv;         /* 0: the part has no test signal, and its inputs cannot be shorted */
} ein_front_end_info_t;

typedef enum {
    EIN_FRONT_END_STOPPED = 0,
    EIN_FRONT_END_RUNNING = 1,
    EIN_FRONT_END_SILENT = 2, /* it runs, but nothing comes; it is set up anew again and again */
} ein_front_end_state_t;

/* A driver, chosen at build time; see ein_driver.h for what it must do. */
typedef struct ein_front_end_driver ein_front_end_driver_t;
extern const ein_front_end_driver_t ein_ad8232, ein_ads1292r, ein_max30003;

/* Private: use the functions. One at a time, because there is one bus. */
typedef struct {
    const ein_front_end_driver_t *driver;
    ein_feed_t feed;
    uint32_t seen_samples, seen_us; /* samples of the part when step last saw a new one, and when */
    uint32_t checked_us, step_us;
    uint8_t input; /* ein_front_end_input_t */
    uint8_t state; /* ein_front_end_state_t */
} ein_front_end_t;

/* One sample at the core's rate, or a gap only. */
typedef struct {
    int16_t count;
    uint8_t leads; /* EIN_LEAD_*: 0 is good contact */
    bool present;  /* false: no sample, `lost` have been lost so far, and the part is silent */
    uint32_t lost; /* samples before this one that are lost */
} ein_front_end_sample_t;

/* Which driver; stopped. */
void ein_front_end_init(ein_front_end_t *fe, const ein_front_end_driver_t *driver);

const ein_front_end_info_t *ein_front_end_info(const ein_front_end_t *fe);

/* Resets the part, sets it up, reads the set-up back and compares. False: it does not answer, or
   something differs, and nothing runs. Takes up to 200 ms, in which the watchdog is not fed. The
   counters of ein_front_end_stats begin anew. */
bool ein_front_end_start(ein_front_end_t *fe, ein_front_end_input_t input);

/* Ends it, into the part's lowest power. What has not been taken is dropped. */
void ein_front_end_stop(ein_front_end_t *fe);

/* Once a turn of the main loop: looks whether samples still come and the set-up still stands, and
   sets the part up anew if not (at most 200 ms, at most 4 times a second). */
void ein_front_end_step(ein_front_end_t *fe);

/* The next sample, if there is one. A part that is silent gives gaps as they grow. */
bool ein_front_end_take(ein_front_end_t *fe, ein_front_end_sample_t *sample);

/* The same in the terms of ein_port_adc, which a board with a front end makes of it: gaps without a
   sample come as a sample at the rail behind what else is lost, so that time goes on. */
bool ein_front_end_adc(ein_front_end_t *fe, int16_t *count, uint32_t *lost);

ein_front_end_state_t ein_front_end_state(const ein_front_end_t *fe);

/* Counters since the start; each event also is a gap, if samples went with it. */
void ein_front_end_stats(const ein_front_end_t *fe, ein_feed_stats_t *stats);

#endif
