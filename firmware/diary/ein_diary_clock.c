#include "ein_diary_clock.h"

#define MS_PER_S 1000

void ein_diary_clock_init(ein_diary_clock_t *clock, uint32_t port_ms)
{
    *clock = (ein_diary_clock_t){.uptime_ms = port_ms, .seen_ms = port_ms};
}

void ein_diary_clock_step(ein_diary_clock_t *clock, uint32_t port_ms)
{
    clock->uptime_ms += port_ms - clock->seen_ms;
    clock->seen_ms = port_ms;
}

int32_t ein_diary_clock_set(ein_diary_clock_t *clock, uint64_t unix_ms)
{
    const int64_t at_start = (int64_t)unix_ms - (int64_t)clock->uptime_ms;
    const int64_t moved = clock->known ? at_start - clock->unix_ms_at_start : 0;
    clock->unix_ms_at_start = at_start;
    clock->known = true;
    if (moved > INT32_MAX) {
        return INT32_MAX;
    }
    return moved < INT32_MIN ? INT32_MIN : (int32_t)moved;
}

uint32_t ein_diary_clock_unix_s(const ein_diary_clock_t *clock)
{
    if (!clock->known) {
        return 0;
    }
    return (uint32_t)((clock->unix_ms_at_start + (int64_t)clock->uptime_ms) / MS_PER_S);
}
