/* Host-only: a signal at another rate, by a polyphase filter.

   Double precision. Each value is a sum of its own in the order of the samples, as scipy's upfirdn
   adds it, so that it has the same bits; what is done side by side are values, not parts of one. */
#include <stddef.h>

#define LANES 8u

/* y[k], k = 0 ... n - 1: the sum over j of taps[phase(k)][j] * x[first(k) + j], of per_phase taps,
   where first and phase are quotient and remainder of (offset + k * down) / up. */
void ein_host_resample(const double *x, const double *taps, size_t per_phase, size_t up,
                       size_t down, size_t offset, double *y, size_t n)
{
    /* Values that are `up` apart have the same phase, and begin `down` samples apart. */
    for (size_t begin = 0; begin < up && begin < n; begin++) {
        const size_t at = offset + begin * down;
        const double *h = &taps[at % up * per_phase];
        const double *from = &x[at / up];
        size_t k = begin;

        for (; k + (LANES - 1u) * up < n; k += LANES * up, from += LANES * down) {
            double sum[LANES] = {0.0};

            for (size_t j = 0; j < per_phase; j++) {
                for (size_t lane = 0; lane < LANES; lane++) {
                    sum[lane] += h[j] * from[j + lane * down];
                }
            }
            for (size_t lane = 0; lane < LANES; lane++) {
                y[k + lane * up] = sum[lane];
            }
        }
        for (; k < n; k += up, from += down) {
            double sum = 0.0;

            for (size_t j = 0; j < per_phase; j++) {
                sum += h[j] * from[j];
            }
            y[k] = sum;
        }
    }
}
