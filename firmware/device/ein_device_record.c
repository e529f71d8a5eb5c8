/* A recording: front end -> session. Begins and ends as the modes say, between two samples. */
#include <string.h>

#include "ein_device_port.h"
#include "ein_device_state.h"
#include "ein_port.h"

/* After a stall, the host gets a word in between. */
#define BURST_SAMPLES 64u
#define MS_PER_S 1000u

static void begin(ein_device_state_t *device, ein_app_t *app)
{
    const ein_wire_start_t start = {
        .session = device->recordings + 1u,
        .mode = EIN_WIRE_MODE_ALONE,
        .gain_lsb_per_mv = device->gain_lsb_per_mv,
        .rail_lo = device->rail_lo,
        .rail_hi = device->rail_hi,
    };
    if (ein_session_start(&app->session, &start) != EIN_OK) {
        ein_device_request(&device->modes, EIN_DEVICE_MODE_READY);
        return;
    }
    device->recording = true;
    device->recordings++;
    device->samples = 0;
    const bool is_strip = device->modes.mode == EIN_DEVICE_MODE_STRIP;
    ein_diary_begin(&device->diary, is_strip, device->modes.now_ms);
    if (is_strip) {
        ein_diary_strip_begin(&device->strip, device->gain_lsb_per_mv);
    }
}

static void end(ein_device_state_t *device, ein_app_t *app)
{
    ein_session_t *session = &app->session;
    device->recording = false;
    while (!ein_session_finish(session)) { /* never: nobody waits for the outbox in this mode */
    }
    const uint32_t now_ms = device->modes.now_ms;
    if (device->diary.is_strip) {
        const bool tells = !device->modes.cancelled;
        if (tells) {
            device->verdict = session->verdict.verdict;
            ein_device_verdict(&device->modes, device->verdict);
        }
        ein_diary_strip_end(&device->strip, &device->diary, tells ? &session->verdict : NULL,
                            now_ms);
    }
    ein_diary_end(&device->diary, now_ms);
    session->id = 0;
}

/* Makes true what the modes want. */
static void follow(ein_device_state_t *device, ein_app_t *app)
{
    if (device->recording && !device->modes.records) {
        end(device, app);
    } else if (!device->recording && device->modes.records) {
        begin(device, app);
    }
    if (device->modes.listens && !device->listening) {
        device->started = true;
        device->sample_ms = device->modes.now_ms;
        device->off_run = UINT16_MAX; /* until a sample says otherwise */
    }
    device->listening = device->modes.listens;
}

static void lose(ein_device_state_t *device, ein_app_t *app, uint32_t lost)
{
    ein_device_samples(&device->modes, device->modes.contact, lost);
    if (device->recording) {
        device->samples_lost += lost;
        device->samples += lost;
        ein_app_lose(app, lost);
        ein_diary_lost(&device->diary, lost, device->modes.now_ms);
        if (device->diary.is_strip) {
            ein_diary_strip_lost(&device->strip, &device->diary, lost, device->modes.now_ms);
        }
    }
}

static void take(ein_device_state_t *device, ein_app_t *app, int16_t sample, bool at_rail)
{
    if (!at_rail) {
        device->off_run = 0;
    } else if (device->off_run < EIN_INPUT_OFF_SAMPLES) {
        device->off_run++;
    }
    if (device->recording) {
        device->samples++;
        ein_app_take(app, sample);
        const bool contact = device->off_run < EIN_INPUT_OFF_SAMPLES;
        if (device->diary.is_strip) {
            ein_diary_strip_sample(&device->strip, &device->diary, sample, device->modes.now_ms);
        }
        ein_diary_sample(&device->diary, contact, contact && !device->modes.noisy,
                         device->modes.now_ms);
    }
    ein_device_samples(&device->modes, device->off_run < EIN_INPUT_OFF_SAMPLES, 1);
}

/* No sample for so long: the front end is stuck, and what it should have given is lost. */
static void watch(ein_device_state_t *device, ein_app_t *app)
{
    const uint32_t since_ms = device->modes.now_ms - device->sample_ms;
    if (device->listening && since_ms >= EIN_DEVICE_SIGNAL_STUCK_MS) {
        device->front_end_restarts++;
        device->sample_ms = device->modes.now_ms;
        lose(device, app, since_ms * EIN_PIPELINE_RATE_HZ / MS_PER_S);
        device->off_run = EIN_INPUT_OFF_SAMPLES;
        ein_device_samples(&device->modes, false, 0);
    }
}

bool ein_device_record_step(ein_device_state_t *device, ein_app_t *app)
{
    int16_t sample;
    uint32_t lost = 0, n = 0;
    const bool fresh = !device->listening; /* what waits then is older than the recording */
    follow(device, app);
    while (n < BURST_SAMPLES && device->started && ein_port_adc(&sample, &lost)) {
        n++;
        device->sample_ms = device->modes.now_ms;
        if (fresh || !device->listening) {
            continue;
        }
        if (lost > 0) {
            lose(device, app, lost);
            follow(device, app);
        }
        take(device, app, sample, sample <= device->rail_lo || sample >= device->rail_hi);
        follow(device, app);
    }
    watch(device, app);
    return n > 0;
}
