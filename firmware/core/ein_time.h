/* Times are sample numbers modulo 2^32, which come round after 276 days of 180 a second: two of
 * them are compared by their difference, never as numbers.
 */
#ifndef EIN_TIME_H
#define EIN_TIME_H

#include <stdbool.h>
#include <stdint.h>

/* True if `a` is earlier than `b`; they must be less than 2^31 samples apart (138 days). */
static inline bool ein_time_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static inline uint32_t ein_time_earlier(uint32_t a, uint32_t b)
{
    return ein_time_before(b, a) ? b : a;
}

/* From now to a time that stands for never: 69 days, so that it is still ahead when others come. */
#define EIN_TIME_FAR_SAMPLES (1u << 30)

#endif
