/* What a driver of a part provides: see ein_front_end.h for what stands on it. */
#ifndef EIN_DRIVER_H
#define EIN_DRIVER_H

#include "ein_front_end.h"

struct ein_front_end_driver {
    ein_front_end_info_t info;
    const ein_decimator_table_t *decimator;
    /* Resets, sets up, compares, begins to listen. False: it does not answer as it should. */
    bool (*start)(ein_front_end_t *fe);
    void (*stop)(void);
    /* In the main loop, held: whether the set-up still stands. NULL: it cannot be read. */
    bool (*check)(ein_front_end_t *fe);
};

#endif
