/* Where a device's samples come from, for the port (boards/stm32f4/stream.h): the front end that
 * answers; in the emulator, where nothing is beside it, a file.
 *
 * The parts on SPI tell who they are. Where neither answers there is an AD8232, which cannot, or
 * nothing. A front end that does not start is tried again.
 */
#include "beside.h"
#include "board.h"
#include "count.h"
#include "ein_bus.h"
#include "ein_device_port.h"
#include "ein_device_spec.h"
#include "ein_front_end.h"
#include "ein_pipeline.h"
#include "emulated.h"
#include "stream.h"
#include "timer.h"

#define AGAIN_US 250000u
#define EMULATED_BITS 12u
#define EMULATED_RAIL 2048
#define US_PER_S 1000000u
#define EMULATED_RING                                                                              \
    (EIN_PIPELINE_RATE_HZ * (EIN_DEVICE_RING_ERASE_MS + EIN_DEVICE_RING_TURN_MS) / 1000u)

/* Conversions wait as long as a sector takes to erase. */
typedef char
    ein_check_wait[EIN_BUS_ADC_WAIT_MS >= EIN_DEVICE_RING_ERASE_MS + EIN_DEVICE_RING_TURN_MS ? 1
                                                                                             : -1];

static ein_front_end_t front_end;
static bool chosen, has_front_end;
static uint32_t tried_us;
static struct {
    bool begun;
    uint32_t seen_us, parts_us; /* of a sample, times the rate */
    uint32_t due;               /* samples that have come and were not taken */
} emulated;

static void find(void)
{
    static const ein_front_end_driver_t *const drivers[] = {EIN_BOARD_FRONT_ENDS};
    for (unsigned i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
        ein_front_end_init(&front_end, drivers[i]);
        if (ein_front_end_start(&front_end, EIN_FRONT_END_ELECTRODES)) {
            break;
        }
    }
    ein_front_end_stop(&front_end);
}

static void choose(void)
{
    if (chosen) {
        return;
    }
    chosen = true;
    has_front_end = ein_count_is_silicon() || ein_emulated_open() == EIN_EMULATED_MODELS;
    if (has_front_end) {
        find();
    }
}

ein_front_end_t *ein_device_port_front_end(void)
{
    choose();
    return has_front_end ? &front_end : 0;
}

void ein_stream_describe(ein_port_info_t *info)
{
    choose();
    if (!has_front_end) {
        info->adc_bits = EMULATED_BITS;
        info->adc_gain_lsb_per_mv = EIN_BOARD_GAIN_LSB_PER_MV;
        info->adc_rail_lo = -EMULATED_RAIL;
        info->adc_rail_hi = EMULATED_RAIL - 1;
        return;
    }
    const ein_front_end_info_t *of = ein_front_end_info(&front_end);
    info->adc_bits = of->bits;
    info->adc_gain_lsb_per_mv = of->gain_lsb_per_mv;
    info->adc_rail_lo = of->rail_lo;
    info->adc_rail_hi = of->rail_hi;
}

static void start(void)
{
    tried_us = ein_timer_us();
    ein_front_end_start(&front_end, EIN_FRONT_END_ELECTRODES);
}

bool ein_stream_begin(uint32_t core_hz)
{
    (void)core_hz;
    choose();
    if (has_front_end) {
        start();
    }
    return false;
}

void ein_stream_tick(void)
{
}

bool ein_stream_slept(void)
{
    if (!has_front_end || ein_count_is_silicon()) {
        return false;
    }
    ein_beside_sleep();
    return true;
}

static int16_t next_emulated(void)
{
    int16_t sample;
    return ein_emulated_sample(&sample) ? sample : EMULATED_RAIL - 1; /* no electrode */
}

/* The file's samples as their time comes, from a ring as long as a device's. */
static bool read_emulated(int16_t *sample, uint32_t *lost)
{
    const uint32_t now_us = ein_timer_us();
    if (emulated.begun) {
        const uint64_t parts =
            emulated.parts_us + (uint64_t)(now_us - emulated.seen_us) * EIN_PIPELINE_RATE_HZ;
        emulated.due += (uint32_t)(parts / US_PER_S);
        emulated.parts_us = (uint32_t)(parts % US_PER_S);
    }
    emulated.begun = true;
    emulated.seen_us = now_us;
    for (; emulated.due > EMULATED_RING; emulated.due--) {
        next_emulated();
        ++*lost;
    }
    if (emulated.due == 0) {
        return false;
    }
    emulated.due--;
    *sample = next_emulated();
    return true;
}

bool ein_stream_read(int16_t *sample, uint32_t *dropped)
{
    *dropped = 0;
    if (!has_front_end) {
        return read_emulated(sample, dropped);
    }
    if (ein_front_end_adc(&front_end, sample, dropped)) {
        return true;
    }
    if (ein_front_end_state(&front_end) == EIN_FRONT_END_STOPPED &&
        ein_timer_us() - tried_us > AGAIN_US) {
        start();
    }
    ein_front_end_step(&front_end);
    return ein_front_end_adc(&front_end, sample, dropped);
}

/* Nothing waits that an interrupt would not wake for, or that 10 ms do not matter for. */
bool ein_stream_empty(void)
{
    return true;
}
