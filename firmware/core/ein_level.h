/* Median and quartiles of the last few values: levels that one outlier cannot move. RAM: 48 B. */
#ifndef EIN_LEVEL_H
#define EIN_LEVEL_H

#include <stdint.h>

#define EIN_LEVEL_VALUES 8u

typedef struct {
    uint32_t median;    /* the mean of the middle two if there are two; 0 before the first */
    uint32_t low, high; /* a quarter of the values lies below, and above */
    uint8_t next;
    uint8_t count;
    uint32_t value[EIN_LEVEL_VALUES];
} ein_level_t;

void ein_level_clear(ein_level_t *level);

/* value < 2^31. */
void ein_level_add(ein_level_t *level, uint32_t value);

#endif
