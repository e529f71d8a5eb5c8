/* What time is measured in, and whether this is silicon. */
#ifndef EIN_COUNT_H
#define EIN_COUNT_H

#include <stdbool.h>
#include <stdint.h>

/* Starts the counter. False where the core's cycle counter stands still: then it is no silicon. */
bool ein_count_init(void);

uint32_t ein_count_read(void);

/* As ein_count_init() has found. */
bool ein_count_is_silicon(void);

#endif
