/* Host-only face of ein_disturbance for cffi: a record in one call. */
#include "ein_disturbance.h"

/* Changes of the flags: their samples into `at`, the flags into `flags`, each of room n. gaps:
   first sample and number of those that never came, n_gaps pairs in order. Returns how many. */
size_t ein_host_disturbance(const int16_t *samples, size_t n, uint16_t gain_lsb_per_mv,
                            int16_t rail_lo, int16_t rail_hi, const uint32_t *gaps, size_t n_gaps,
                            uint32_t *at, uint16_t *flags)
{
    ein_disturbance_t disturbance;
    size_t count = 0;
    uint16_t last = 0;
    ein_disturbance_init(&disturbance, gain_lsb_per_mv, rail_lo, rail_hi);
    for (size_t i = 0; i < n; i++) {
        if (n_gaps > 0 && i == gaps[0]) {
            ein_disturbance_gap(&disturbance);
            i += gaps[1];
            gaps += 2;
            n_gaps--;
            if (i >= n) {
                break;
            }
        }
        ein_disturbance_push(&disturbance, samples[i]);
        if (disturbance.flags != last) {
            last = disturbance.flags;
            at[count] = (uint32_t)i;
            flags[count] = last;
            count++;
        }
    }
    return count;
}
