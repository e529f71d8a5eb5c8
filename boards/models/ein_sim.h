/* The three front ends as register-level models, and the bus (ein_bus.h) that reaches them.
 *
 * Explicit models of what the data sheets state, each behaviour with its section in the file of its
 * part; integers only, so that they run on the host and beside the emulated chip alike. Not
 * modelled: the parts' analogue filters, the sinc filter's shape, power-up of supplies, SPI faster
 * than 1 MHz.
 *
 * Time is the model's own, in picoseconds, and is the truth: it passes in ein_sim_run, while SPI
 * clocks bytes and while a driver waits. The board's clock runs beside it, off by board_ppb; the
 * part's clock is off by part_ppb, drifts by drift_ppb_per_hour and jitters.
 */
#ifndef EIN_SIM_H
#define EIN_SIM_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    EIN_SIM_AD8232 = 0,
    EIN_SIM_ADS1292R = 1,
    EIN_SIM_MAX30003 = 2,
} ein_sim_part_t;

/* Between the electrodes at a time, in nV: up to +-0.3 V. */
typedef int32_t (*ein_sim_signal_t)(void *context, uint64_t t_ps);

typedef struct {
    ein_sim_part_t part;
    ein_sim_signal_t signal;
    void *context;
    int32_t board_ppb, part_ppb, drift_ppb_per_hour;
    uint32_t jitter_ns; /* of a conversion, peak; evenly spread */
    uint32_t seed;
} ein_sim_config_t;

/* What can go wrong, to be set at any time; all zero: nothing. */
typedef struct {
    bool lead_p_off, lead_n_off;
    bool stuck;    /* the data-ready line does not move until the part is reset */
    bool spi_dead; /* SPI transfers do not end */
    uint32_t
        flip_bits;     /* so many bits of what the part sends next are wrong, an eighth byte each */
    uint32_t glitches; /* so many edges come when nothing is ready, one with each conversion */
} ein_sim_faults_t;

extern ein_sim_faults_t ein_sim_faults;

/* Powers the part up: time 0. */
void ein_sim_init(const ein_sim_config_t *config);

/* Time passes until t_ps; handlers are called as edges come. */
void ein_sim_run(uint64_t t_ps);

uint64_t ein_sim_now_ps(void);

/* Nothing reaches the board before then, as far as it is known now; 0: never. */
uint64_t ein_sim_next_ps(void);

/* Called once a turn of the main loop (ein_bus_serve): who has a clock lets time pass by it. */
void ein_sim_on_serve(void (*on_serve)(void));

/* No interrupt is served for so long (an erase of flash, say); one edge waits. */
void ein_sim_deaf(uint64_t for_ps);

/* The part loses all it was told, as after a drop of its supply. */
void ein_sim_reset_part(void);

/* Conversions that the part has made since it was powered up, and the time of the newest. */
uint32_t ein_sim_conversions(void);
uint64_t ein_sim_converted_ps(void);

#endif
