/* The device on top of the application: what ein_app_extension.h asks for. */
#include "ein_device_check.h"
#include "ein_device_keys.h"
#include "ein_device_port.h"
#include "ein_device_state.h"
#include "ein_device_update.h"
#include "ein_keys.h"
#include "ein_port.h"

#define MS_PER_S 1000u
#define STEP_MS 5u

static ein_device_state_t device;

static uint32_t ms_of(uint32_t samples)
{
    return samples < UINT32_MAX / MS_PER_S ? samples * MS_PER_S / EIN_PIPELINE_RATE_HZ : UINT32_MAX;
}

static void measure_battery(uint32_t now_ms)
{
    device.battery_ms = now_ms;
    ein_device_battery(&device.modes, ein_device_port_battery_mv());
}

void ein_extension_init(ein_app_t *app)
{
    ein_device_port_init();
    ein_device_keys_init();
    const uint32_t now_ms = ein_device_port_ms();
    ein_port_info_t port;
    ein_port_info(&port);
    device.gain_lsb_per_mv = port.adc_gain_lsb_per_mv;
    device.rail_lo = port.adc_rail_lo;
    device.rail_hi = port.adc_rail_hi;
    device.verdict = EIN_DEVICE_VERDICT_NEVER;
    ein_device_clock_init(&device.clock, now_ms);
    ein_device_init(&device.modes, ein_device_port_button(), now_ms);
    for (unsigned i = 0; i < EIN_DEVICE_BATTERY_READINGS; i++) {
        measure_battery(now_ms);
    }
    uint8_t faults = ein_device_check(app);
    faults |= (uint8_t)(device.modes.battery.empty ? EIN_DEVICE_CHECK_BATTERY : 0u);
    ein_device_checked(&device.modes, faults);
    ein_device_update_init((faults & (EIN_DEVICE_CHECK_IMAGE | EIN_DEVICE_CHECK_ENGINE)) == 0);
}

ein_extension_answer_t ein_extension_message(ein_app_t *app, const ein_frame_t *frame)
{
    ein_extension_answer_t answer = ein_device_wire_message(&device, app, frame);
    if (answer == EIN_EXTENSION_PASS) {
        answer = ein_device_keys_message(app, frame);
    }
    return answer == EIN_EXTENSION_PASS ? ein_device_update_message(app, frame) : answer;
}

static void on_rhythm(const ein_wire_beat_t *told)
{
    const uint32_t age = told->t_emitted - told->t_samples;
    const bool over = told->flags == EIN_RHYTHM_END;
    const uint32_t lasted = over ? told->rr_next_samples - told->t_samples : age;
    ein_device_alarm_rhythm(&device.modes.alarms, told->label, (uint8_t)told->flags, ms_of(lasted),
                            device.modes.now_ms);
}

bool ein_extension_event(ein_app_t *app, const ein_outbox_event_t *event)
{
    if (app->session.mode != EIN_WIRE_MODE_ALONE) {
        return true;
    }
    switch (event->type) {
    case EIN_WIRE_BEAT:
        ein_device_beat(&device.modes);
        break;
    case EIN_WIRE_RHYTHM:
        on_rhythm(&event->beat);
        break;
    default:
        ein_device_signal(&device.modes, event->beat.flags);
        break;
    }
    return device.host && ein_keys_is_open();
}

/* What need not be done at every turn of the loop: the button and the patterns are in no hurry. */
static void step_modes(uint32_t now_ms)
{
    ein_device_alarm_change_t change;
    bool shows;
    ein_device_clock_step(&device.clock, now_ms);
    ein_device_keys_step();
    ein_device_update_step(now_ms);
    if (now_ms - device.battery_ms >= EIN_DEVICE_BATTERY_EVERY_MS) {
        measure_battery(now_ms);
    }
    if (device.host && now_ms - device.host_ms >= EIN_DEVICE_HOST_QUIET_MS) {
        device.host = false;
    }
    ein_device_step(&device.modes, ein_device_port_button(), now_ms, &change, &shows);
    if (shows) {
        const ein_device_patterns_t *patterns = &device.modes.patterns;
        ein_device_port_show(patterns->led, ein_device_pattern_tone_hz(patterns->tone));
    }
}

bool ein_extension_step(ein_app_t *app)
{
    const uint32_t now_ms = ein_device_port_ms();
    if (now_ms - device.modes.now_ms >= STEP_MS) {
        step_modes(now_ms);
    }
    return ein_device_record_step(&device, app);
}
