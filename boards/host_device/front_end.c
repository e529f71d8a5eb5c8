/* The driver runs on the model of its part (boards/beside/script.h). */
#define _GNU_SOURCE
#include "front_end.h"

#include "ein_device_port.h"
#include "ein_front_end.h"
#include "ein_sim.h"
#include "host.h"
#include "script.h"

#define PS_PER_NS 1000u

static ein_front_end_t front_end;
static bool started;
static uint64_t start_ns;

/* From here on the model's time goes on with the process's; it stands while nobody samples. */
static void align(void)
{
    start_ns = ein_host_now_ns() - ein_sim_now_ps() / PS_PER_NS;
}

static void pass(void)
{
    ein_script_follow();
    ein_sim_run((ein_host_now_ns() - start_ns) * PS_PER_NS);
}

static bool adc(int16_t *sample, uint32_t *lost)
{
    if (!started) {
        started = ein_front_end_start(&front_end, EIN_FRONT_END_ELECTRODES);
        align();
    }
    *lost = 0;
    if (ein_front_end_adc(&front_end, sample, lost)) {
        return true;
    }
    ein_front_end_step(&front_end);
    return ein_front_end_adc(&front_end, sample, lost);
}

static void describe(ein_port_info_t *info)
{
    const ein_front_end_info_t *of = ein_front_end_info(&front_end);
    info->adc_bits = of->bits;
    info->adc_gain_lsb_per_mv = of->gain_lsb_per_mv;
    info->adc_rail_lo = of->rail_lo;
    info->adc_rail_hi = of->rail_hi;
}

ein_front_end_t *ein_device_port_front_end(void)
{
    return ein_host.front_end != NULL ? &front_end : NULL;
}

void ein_host_front_end_init(void)
{
    static const ein_front_end_driver_t *const drivers[] = {&ein_ad8232, &ein_ads1292r,
                                                            &ein_max30003};
    if (ein_host.front_end == NULL) {
        return;
    }
    const ein_sim_part_t part =
        ein_script_begin(ein_host.front_end, ein_host.adc, ein_host.faults, 0);
    align();
    ein_sim_on_serve(pass);
    ein_front_end_init(&front_end, drivers[part]);
    ein_host.front_end_adc = adc;
    ein_host.front_end_describe = describe;
}
