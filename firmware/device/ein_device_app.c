/* The device on top of the application: what ein_app_extension.h asks for. */
#include "ein_device_check.h"
#ifdef EIN_DEVICE_DISPLAY
#include "ein_device_display.h"
#endif
#include "ein_device_keys.h"
#include "ein_device_port.h"
#include "ein_device_state.h"
#include "ein_device_update.h"
#include "ein_diary_wire.h"
#include "ein_keys.h"
#include "ein_port.h"

#define MS_PER_S 1000u
#define STEP_MS 5u
#define LOG_STEPS 8u

static ein_device_state_t device;
#ifdef EIN_DEVICE_DISPLAY
static ein_device_display_t display; /* zeroed: nothing is known of it */
#endif

static uint32_t ms_of(uint32_t samples)
{
    return samples < UINT32_MAX / MS_PER_S ? samples * MS_PER_S / EIN_PIPELINE_RATE_HZ : UINT32_MAX;
}

static void log_event(ein_log_event_code_t event, uint8_t detail, uint32_t value)
{
    ein_diary_event(&device.diary, event, detail, value, device.modes.battery.mv,
                    device.clock.seen_ms);
}

static void measure_battery(uint32_t now_ms)
{
    device.battery_ms = now_ms;
    const unsigned happened = ein_device_battery(&device.modes, ein_device_port_battery_mv());
    if ((happened & EIN_DEVICE_BATTERY_NEWS) != 0 && device.modes.battery.low) {
        log_event(EIN_LOG_EVENT_BATTERY_LOW, device.modes.battery.empty ? 1u : 0u, 0);
    }
}

/* The change of an alarm, for the minute's record. */
static void note_alarms(ein_device_alarm_change_t change)
{
    for (uint8_t i = 0; i < EIN_DEVICE_ALARMS; i++) {
        if ((change.raised >> i & 1u) != 0) {
            ein_diary_alarm(&device.diary, i, ein_device_alarm_kind(&device.modes.alarms, i));
        }
    }
}

/* Mode and contact, when they have changed. */
static void note_changes(void)
{
    const ein_device_t *modes = &device.modes;
    if (modes->mode != device.logged_mode) {
        device.logged_mode = modes->mode;
        log_event(EIN_LOG_EVENT_MODE, modes->mode, 0);
        device.logged_contact = true;
    }
    const uint32_t since_ms = modes->now_ms - modes->contact_ms;
    if (!modes->records || since_ms < EIN_DEVICE_SIGNAL_LOST_MS ||
        modes->contact == device.logged_contact) {
        return;
    }
    device.logged_contact = modes->contact;
    if (modes->contact) {
        log_event(EIN_LOG_EVENT_CONTACT, 0, (modes->contact_ms - device.contact_ms) / MS_PER_S);
    } else {
        device.contact_ms = modes->contact_ms;
        log_event(EIN_LOG_EVENT_CONTACT_LOST, 0, 0);
    }
}

/* Once the front end has been checked, too: ready, or fault. */
static void end_check(void)
{
    uint8_t faults;
    if (device.modes.mode != EIN_DEVICE_MODE_CHECK ||
        !ein_device_front_end_check_step(&device.front_end_check, &faults)) {
        return;
    }
    const ein_self_test_result_t *of = &device.front_end_check.test.result;
    faults |= device.modes.faults;
    if (faults != 0 || of->verdict != EIN_SELF_TEST_NONE) {
        log_event(EIN_LOG_EVENT_SELF_TEST, faults,
                  of->noise_uv | (uint32_t)of->gain_permille << 16);
    }
    ein_device_checked(&device.modes, faults);
    device.logged_mode = device.modes.mode;
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
    ein_diary_clock_init(&device.clock, now_ms);
    ein_device_init(&device.modes, ein_device_port_button(), now_ms);
    ein_device_alarm_restore(&device.modes.alarms, ein_keys_settings());
    for (unsigned i = 0; i < EIN_DEVICE_BATTERY_READINGS; i++) {
        measure_battery(now_ms);
    }
    uint8_t faults = ein_device_check(app);
    faults |= (uint8_t)(ein_diary_open(&device.diary) ? 0u : EIN_DEVICE_CHECK_LOG);
    faults |= (uint8_t)(device.modes.battery.empty ? EIN_DEVICE_CHECK_BATTERY : 0u);
    device.modes.faults = faults;
    ein_device_update_init((faults & (EIN_DEVICE_CHECK_IMAGE | EIN_DEVICE_CHECK_ENGINE)) == 0);
    for (unsigned i = 0; i < LOG_STEPS; i++) { /* a new log is made before its first record */
        ein_diary_step(&device.diary, now_ms, true);
        ein_port_poll(false);
    }
    uint32_t bytes, crc = 0;
    ein_device_port_image(&bytes, &crc);
    log_event(EIN_LOG_EVENT_BOOT, (uint8_t)port.reset_reason, crc);
    device.logged_mode = device.modes.mode;
    ein_device_front_end_check_begin(&device.front_end_check);
    end_check();
}

ein_extension_answer_t ein_extension_message(ein_app_t *app, const ein_frame_t *frame)
{
    ein_extension_answer_t answer = ein_device_wire_message(&device, app, frame);
    if (answer == EIN_EXTENSION_PASS) {
        answer = ein_diary_message(&device.diary, &device.clock, app, frame);
    }
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
    note_alarms(ein_device_alarm_rhythm(&device.modes.alarms, told->label, (uint8_t)told->flags,
                                        ms_of(lasted), device.modes.now_ms));
    ein_diary_rhythm(&device.diary, told, device.modes.now_ms);
}

bool ein_extension_event(ein_app_t *app, const ein_outbox_event_t *event)
{
    if (app->session.mode != EIN_WIRE_MODE_ALONE) {
        return true;
    }
    switch (event->type) {
    case EIN_WIRE_BEAT:
        ein_device_beat(&device.modes);
        ein_diary_beat(&device.diary, &event->beat);
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
    ein_diary_clock_step(&device.clock, now_ms);
    ein_device_keys_step();
    ein_device_update_step(now_ms);
    if (now_ms - device.battery_ms >= EIN_DEVICE_BATTERY_EVERY_MS) {
        measure_battery(now_ms);
    }
    if (device.host && now_ms - device.host_ms >= EIN_DEVICE_HOST_QUIET_MS) {
        device.host = false;
    }
    const unsigned happened =
        ein_device_step(&device.modes, ein_device_port_button(), now_ms, &change, &shows);
    note_alarms(change);
    if ((happened & EIN_DEVICE_MARKED) != 0) {
        log_event(EIN_LOG_EVENT_MARK, 0, 0);
    }
    if ((happened & EIN_DEVICE_SILENCED) != 0) {
        log_event(EIN_LOG_EVENT_ALARM_SILENCED, 0, device.modes.alarms.seen);
    }
    note_changes();
    if (shows) {
        const ein_device_patterns_t *patterns = &device.modes.patterns;
        ein_device_port_show(patterns->led, ein_device_pattern_tone_hz(patterns->tone));
    }
#ifdef EIN_DEVICE_DISPLAY
    ein_device_display_step(&display, ein_device_pattern_text(device.modes.patterns.shown));
#endif
}

bool ein_extension_step(ein_app_t *app)
{
    const uint32_t now_ms = ein_device_port_ms();
    if (now_ms - device.modes.now_ms >= STEP_MS) {
        step_modes(now_ms);
    }
    if (!device.host || !ein_keys_is_open()) {
        app->trace.sending = false; /* the samples are the patient's */
    }
    end_check();
    const bool busy = ein_device_record_step(&device, app);
    /* An erase may stop the core: samples that waited for the last one come first. */
    if (!device.listening || !busy) {
        ein_diary_step(&device.diary, now_ms, !device.listening);
    }
    return busy;
}
