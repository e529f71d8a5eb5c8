/* Smallest, largest and sum of counted work (ein_port_count(): instructions, cycles or ns). */
#ifndef EIN_STATS_H
#define EIN_STATS_H

#include <stdint.h>

typedef struct {
    uint32_t n; /* wraps after 2^32 */
    uint32_t min, max;
    uint64_t sum;
} ein_stats_t;

static inline void ein_stats_init(ein_stats_t *stats)
{
    *stats = (ein_stats_t){0, 0, 0, 0};
}

static inline void ein_stats_add(ein_stats_t *stats, uint32_t value)
{
    if (stats->n == 0 || value < stats->min) {
        stats->min = value;
    }
    if (value > stats->max) {
        stats->max = value;
    }
    stats->sum += value;
    stats->n++;
}

#endif
