/* The core's cycles, as each of the chips' cores counts them. */
#ifndef EIN_CYCLES_H
#define EIN_CYCLES_H

#include <stdint.h>

void ein_cycles_init(void);

/* Cycles since the start; wraps at 2^32. */
uint32_t ein_cycles(void);

#endif
