/* AD8232 (Analog Devices, data sheet rev. D): an amplifier, and the board's own ADC behind it.
 *
 * Its circuit is that of "Cardiac monitor configuration" (Applications information, figure 66), as
 * common modules have it: gain 1100, 0.5 to 40 Hz around half the supply of 3.3 V. Lead-off is
 * told by pins, DC detection (AC/DC to ground; "Leads off detection"). SDN low is shutdown, below
 * 1 uA ("Standby operation").
 *
 * It has no test signal and cannot short its inputs, so there is no self-test beyond pins and
 * rails. With the input saturated its fast restore acts ("Fast restore"), which shows as rails.
 */
#include "ein_bus.h"
#include "ein_driver.h"

#define MIDDLE 2048
/* 1100 * 4096 / 3300 mV */
#define GAIN_LSB_PER_MV 1365u

/* Conversions have begun (anew): only time tells how many there were not. */
static bool behind_gap;

static void on_adc(void *context, const uint16_t *values, size_t n, uint32_t lost, uint32_t us)
{
    ein_front_end_t *fe = context;
    uint32_t leads = ein_bus_get(EIN_BUS_LEAD_P) ? EIN_LEAD_P : 0u;
    leads |= ein_bus_get(EIN_BUS_LEAD_N) ? EIN_LEAD_N : 0u;
    fe->feed.stats.late += lost > 0 ? 1u : 0u;
    ein_feed_bad(&fe->feed, lost);
    if (!behind_gap) {
        ein_feed_follow(&fe->feed, us, (uint32_t)n);
    } else if (!ein_feed_edges(&fe->feed, us, (uint32_t)n)) {
        return;
    }
    behind_gap = false;
    for (size_t i = 0; i < n; i++) {
        ein_feed_push(&fe->feed, (int16_t)(values[i] - MIDDLE), (uint8_t)leads);
    }
}

static bool part_start(ein_front_end_t *fe)
{
    behind_gap = true;
    ein_bus_set(EIN_BUS_RESET, true);
    return ein_bus_adc(fe->driver->info.rate_hz, on_adc, fe);
}

static void part_stop(void)
{
    ein_bus_set(EIN_BUS_RESET, false);
}

const ein_front_end_driver_t ein_ad8232 = {
    .info =
        {
            .name = "AD8232",
            .rate_hz = 500,
            .gain_lsb_per_mv = GAIN_LSB_PER_MV,
            .rail_lo = -MIDDLE,
            .rail_hi = MIDDLE - 1,
            .bits = 12,
            .delay_us = EIN_DECIMATOR_500_DELAY_US,
        },
    .decimator = &ein_decimator_500,
    .start = part_start,
    .stop = part_stop,
};
