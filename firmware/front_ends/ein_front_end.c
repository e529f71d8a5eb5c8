#include "ein_front_end.h"

#include <string.h>

#include "ein_bus.h"
#include "ein_driver.h"

#define SILENT_US 250000u
#define CHECK_US 1000000u
#define TAG_LOST 0x1FFFu
#define TAG_LEADS 13u
#define TAG_NO_SAMPLE 0x8000u

void ein_front_end_init(ein_front_end_t *fe, const ein_front_end_driver_t *driver)
{
    memset(fe, 0, sizeof(*fe));
    fe->driver = driver;
}

const ein_front_end_info_t *ein_front_end_info(const ein_front_end_t *fe)
{
    return &fe->driver->info;
}

static void look_anew(ein_front_end_t *fe)
{
    fe->seen_us = fe->checked_us = fe->step_us = ein_bus_us();
}

bool ein_front_end_start(ein_front_end_t *fe, ein_front_end_input_t input)
{
    const ein_front_end_info_t *info = &fe->driver->info;
    ein_front_end_stop(fe);
    ein_feed_init(&fe->feed, fe->driver->decimator, info->rail_lo, info->rail_hi);
    fe->input = (uint8_t)input;
    fe->seen_samples = 0;
    if ((input != EIN_FRONT_END_ELECTRODES && info->test_uv == 0) || !fe->driver->start(fe)) {
        ein_front_end_stop(fe);
        return false;
    }
    look_anew(fe);
    fe->state = EIN_FRONT_END_RUNNING;
    return true;
}

void ein_front_end_stop(ein_front_end_t *fe)
{
    ein_bus_stop();
    fe->driver->stop();
    fe->state = EIN_FRONT_END_STOPPED;
}

/* Sets the part up anew; time goes on, so that what it misses meanwhile is lost. */
static void start_again(ein_front_end_t *fe)
{
    ein_bus_stop();
    if (!fe->driver->start(fe)) {
        ein_bus_stop();
        fe->state = EIN_FRONT_END_SILENT;
    }
    look_anew(fe);
}

void ein_front_end_step(ein_front_end_t *fe)
{
    if (fe->state == EIN_FRONT_END_STOPPED) {
        return;
    }
    ein_bus_serve();
    const uint32_t now_us = ein_bus_us();
    if (now_us - fe->step_us > SILENT_US / 2u) {
        fe->seen_us = now_us; /* who was away cannot say that nothing came */
    }
    fe->step_us = now_us;
    if (fe->feed.stats.samples != fe->seen_samples) {
        fe->seen_samples = fe->feed.stats.samples;
        fe->seen_us = now_us;
        fe->state = EIN_FRONT_END_RUNNING;
    } else if (now_us - fe->seen_us > SILENT_US) {
        fe->state = EIN_FRONT_END_SILENT;
        fe->feed.stats.stuck++;
        start_again(fe);
        ein_bus_hold();
        ein_feed_silent(&fe->feed, ein_bus_us());
        ein_bus_release();
        return;
    }
    if (fe->driver->check != NULL && now_us - fe->checked_us > CHECK_US) {
        ein_bus_hold();
        const bool good = fe->driver->check(fe);
        ein_bus_release();
        fe->checked_us = now_us;
        if (!good) {
            fe->feed.stats.resets++;
            start_again(fe);
        }
    }
}

bool ein_front_end_take(ein_front_end_t *fe, ein_front_end_sample_t *sample)
{
    ein_feed_entry_t entry;
    if (!ein_feed_take(&fe->feed, &entry)) {
        return false;
    }
    *sample = (ein_front_end_sample_t){
        .count = entry.count,
        .leads = (uint8_t)(entry.tag >> TAG_LEADS & 3u),
        .present = (entry.tag & TAG_NO_SAMPLE) == 0,
        .lost = entry.tag & TAG_LOST,
    };
    return true;
}

bool ein_front_end_adc(ein_front_end_t *fe, int16_t *count, uint32_t *lost)
{
    ein_front_end_sample_t sample;
    if (!ein_front_end_take(fe, &sample)) {
        return false;
    }
    *count = sample.present ? sample.count : fe->driver->info.rail_hi;
    *lost = sample.present ? sample.lost : sample.lost - 1u;
    return true;
}

ein_front_end_state_t ein_front_end_state(const ein_front_end_t *fe)
{
    return (ein_front_end_state_t)fe->state;
}

void ein_front_end_stats(const ein_front_end_t *fe, ein_feed_stats_t *stats)
{
    *stats = fe->feed.stats;
}
