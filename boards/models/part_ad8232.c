/* AD8232 (Analog Devices, data sheet rev. D) in its cardiac monitor configuration, gain 1100, and a
 * board's ADC behind it, which the bus plays. */
#include <stddef.h>

#include "ein_part.h"

static bool powered;     /* SDN as the board drives it: a drop of the supply does not change it */
static int32_t level_nv; /* of its high-pass of 0.5 Hz, here of one pole */

static void reset(void)
{
    level_nv = 0;
}

static void pin(bool high)
{
    powered = high; /* SDN */
}

static uint64_t period_ps(bool first)
{
    (void)first;
    return 2000000000; /* the timer's */
}

static bool convert(int32_t nv, uint64_t t_ps)
{
    (void)nv;
    (void)t_ps;
    return false;
}

/* Of 4096 at 3.3 V: half the supply and 1100 times the input; an open lead drives it to a rail. */
uint16_t ein_part_ad8232_adc(int32_t nv)
{
    if (!powered) {
        return 0;
    }
    if (ein_sim_faults.lead_p_off || ein_sim_faults.lead_n_off) {
        return ein_sim_faults.lead_p_off ? 4095 : 0;
    }
    level_nv += (nv - level_nv) / 159; /* 500 Hz / (2 pi 0.5 Hz) */
    int64_t value = 2048 + ((int64_t)nv - level_nv + ein_part_random(4000)) * 1365 / 1000000;
    value = value > 4095 ? 4095 : value < 0 ? 0 : value;
    return (uint16_t)value;
}

static void select(void)
{
}

static uint8_t exchange(uint8_t in)
{
    (void)in;
    return 0;
}

const ein_part_t ein_part_ad8232 = {reset, pin, period_ps, convert, select, exchange, select, NULL};
