/* Between the bus and a part's model. Private to this folder. */
#ifndef EIN_PART_H
#define EIN_PART_H

#include "ein_sim.h"

typedef struct {
    void (*reset)(void);    /* power-on state */
    void (*pin)(bool high); /* RESET, PWDN or SDN */
    /* Picoseconds to the next conversion by the part's own clock; 0: it does not convert. The first
       one after a start may take longer. */
    uint64_t (*period_ps)(bool first);
    /* A conversion of so many nV, at the time of the part; true: the data-ready line falls. */
    bool (*convert)(int32_t nv, uint64_t t_ps);
    void (*select)(void);
    uint8_t (*exchange)(uint8_t in); /* a byte, while selected */
    void (*deselect)(void);
    /* How many conversions will come before one by which the data-ready line can fall, without a
       transfer in between. NULL: none. */
    uint32_t (*quiet)(void);
} ein_part_t;

extern const ein_part_t ein_part_ad8232, ein_part_ads1292r, ein_part_max30003;

/* Counts of a 12-bit ADC at 3.3 V behind an AD8232. */
uint16_t ein_part_ad8232_adc(int32_t nv);

void ein_part_seed(uint32_t seed);

/* Evenly spread over -peak..peak. */
int32_t ein_part_random(int32_t peak);

/* Set by a part: conversions begin anew with the next, as after a START or SYNCH. */
extern bool ein_part_restarted;

#endif
