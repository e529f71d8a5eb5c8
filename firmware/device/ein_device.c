#include "ein_device.h"

#include "ein_strip_table.h"
#include "ein_types.h"

#define MINUTE_MS 60000u
/* Without these no recording is worth anything; without a log there is still a verdict. */
#define NEEDED                                                                                     \
    (EIN_DEVICE_CHECK_IMAGE | EIN_DEVICE_CHECK_ENGINE | EIN_DEVICE_CHECK_FRONT_END |               \
     EIN_DEVICE_CHECK_MODEL)
#define CANNOT_TELL (EIN_FLAG_NOISY | EIN_FLAG_SATURATED)

static void hold(ein_device_t *device, uint8_t pattern, bool holds)
{
    ein_device_pattern_hold(&device->patterns, pattern, holds);
}

static void enter(ein_device_t *device, uint8_t mode)
{
    device->mode = mode;
    device->mode_ms = device->now_ms;
    device->listens = mode == EIN_DEVICE_MODE_STRIP || mode == EIN_DEVICE_MODE_CONTINUOUS;
    device->records = mode == EIN_DEVICE_MODE_CONTINUOUS;
    device->contact = false;
    device->contact_ms = device->now_ms;
    device->noisy = false;
    hold(device, EIN_DEVICE_PATTERN_CHECK, mode == EIN_DEVICE_MODE_CHECK);
    hold(device, EIN_DEVICE_PATTERN_READY, mode == EIN_DEVICE_MODE_READY);
    hold(device, EIN_DEVICE_PATTERN_ERROR, mode == EIN_DEVICE_MODE_FAULT);
    hold(device, EIN_DEVICE_PATTERN_RECORDING, device->listens);
    if (!device->listens) {
        ein_device_alarm_stop(&device->alarms, device->now_ms);
    }
}

static void forget_verdict(ein_device_t *device)
{
    if (device->verdict != EIN_DEVICE_PATTERN_NONE) {
        hold(device, device->verdict, false);
        device->verdict = EIN_DEVICE_PATTERN_NONE;
    }
}

void ein_device_init(ein_device_t *device, bool button, uint32_t now_ms)
{
    *device = (ein_device_t){.now_ms = now_ms, .verdict = EIN_DEVICE_PATTERN_NONE};
    ein_device_button_init(&device->button, button, now_ms);
    ein_device_battery_init(&device->battery);
    ein_device_alarm_init(&device->alarms, EIN_DEVICE_ALARMS_ON);
    ein_device_pattern_init(&device->patterns);
    enter(device, EIN_DEVICE_MODE_CHECK);
}

void ein_device_checked(ein_device_t *device, uint8_t faults)
{
    device->faults = faults;
    enter(device, (faults & NEEDED) != 0 ? EIN_DEVICE_MODE_FAULT : EIN_DEVICE_MODE_READY);
}

bool ein_device_request(ein_device_t *device, uint8_t mode)
{
    if (mode == device->mode && mode != EIN_DEVICE_MODE_CHECK) {
        return true;
    }
    if (mode == EIN_DEVICE_MODE_READY && device->listens) {
        device->cancelled = device->mode == EIN_DEVICE_MODE_STRIP;
        enter(device, EIN_DEVICE_MODE_READY);
        return true;
    }
    const bool records = mode == EIN_DEVICE_MODE_STRIP || mode == EIN_DEVICE_MODE_CONTINUOUS;
    if (!records || device->mode != EIN_DEVICE_MODE_READY || device->battery.empty) {
        return false;
    }
    forget_verdict(device);
    device->cancelled = false;
    device->strip_samples = EIN_DEVICE_STRIP_SECONDS * EIN_PIPELINE_RATE_HZ;
    enter(device, mode);
    if (device->records) {
        ein_device_pattern_once(&device->patterns, EIN_DEVICE_PATTERN_BEGIN);
    }
    return true;
}

void ein_device_samples(ein_device_t *device, bool contact, uint32_t n)
{
    if (contact != device->contact) {
        device->contact = contact;
        device->contact_ms = device->now_ms;
    }
    if (device->mode != EIN_DEVICE_MODE_STRIP || !device->records) {
        return;
    }
    device->strip_samples -= n < device->strip_samples ? n : device->strip_samples;
    if (device->strip_samples == 0) {
        enter(device, EIN_DEVICE_MODE_READY);
    }
}

void ein_device_signal(ein_device_t *device, uint16_t flags)
{
    const bool noisy = (flags & CANNOT_TELL) != 0 && (flags & EIN_FLAG_LEAD_OFF) == 0;
    if (noisy != device->noisy) {
        device->noisy = noisy;
        device->noisy_ms = device->now_ms;
    }
}

void ein_device_beat(ein_device_t *device)
{
    if (device->records) {
        ein_device_pattern_once(&device->patterns, EIN_DEVICE_PATTERN_BEAT);
    }
}

void ein_device_verdict(ein_device_t *device, uint8_t verdict)
{
    switch (verdict) {
    case EIN_STRIP_VERDICT_REGULAR:
        device->verdict = EIN_DEVICE_PATTERN_VERDICT_N;
        break;
    case EIN_STRIP_VERDICT_FIBRILLATION:
        device->verdict = EIN_DEVICE_PATTERN_VERDICT_A;
        break;
    case EIN_STRIP_VERDICT_OTHER:
        device->verdict = EIN_DEVICE_PATTERN_VERDICT_O;
        break;
    default:
        device->verdict = EIN_DEVICE_PATTERN_VERDICT_NOISY;
        break;
    }
    device->verdict_ms = device->now_ms;
    hold(device, device->verdict, true);
}

unsigned ein_device_battery(ein_device_t *device, uint16_t mv)
{
    if (!ein_device_battery_read(&device->battery, mv)) {
        return 0;
    }
    hold(device, EIN_DEVICE_PATTERN_BATTERY_EMPTY, device->battery.empty);
    device->low_ms = device->now_ms - MINUTE_MS;
    if (device->battery.empty && device->listens) {
        ein_device_request(device, EIN_DEVICE_MODE_READY);
    }
    return EIN_DEVICE_BATTERY_NEWS;
}

uint16_t ein_device_silence(ein_device_t *device)
{
    return ein_device_alarm_silence(&device->alarms, device->now_ms);
}

static unsigned press(ein_device_t *device, ein_device_press_t press)
{
    if (press == EIN_DEVICE_PRESS_NONE) {
        return 0;
    }
    const bool is_short = press == EIN_DEVICE_PRESS_SHORT;
    if (is_short && ein_device_silence(device) != 0) {
        return EIN_DEVICE_SILENCED;
    }
    switch (device->mode) {
    case EIN_DEVICE_MODE_READY:
        if (is_short && device->verdict != EIN_DEVICE_PATTERN_NONE) {
            forget_verdict(device);
        } else {
            ein_device_request(device,
                               is_short ? EIN_DEVICE_MODE_STRIP : EIN_DEVICE_MODE_CONTINUOUS);
        }
        return 0;
    case EIN_DEVICE_MODE_CONTINUOUS:
        if (is_short) {
            return EIN_DEVICE_MARKED;
        }
        ein_device_request(device, EIN_DEVICE_MODE_READY);
        return 0;
    case EIN_DEVICE_MODE_STRIP:
        ein_device_request(device, EIN_DEVICE_MODE_READY);
        return 0;
    default:
        return 0;
    }
}

/* A strip begins when both electrodes have rested, and is given up when nobody touches them. */
static void await_contact(ein_device_t *device)
{
    if (device->mode != EIN_DEVICE_MODE_STRIP || device->records) {
        return;
    }
    if (device->contact && device->now_ms - device->contact_ms >= EIN_DEVICE_STRIP_CONTACT_MS) {
        device->records = true;
        ein_device_pattern_once(&device->patterns, EIN_DEVICE_PATTERN_BEGIN);
    } else if (device->now_ms - device->mode_ms >= EIN_DEVICE_STRIP_WAIT_MS) {
        enter(device, EIN_DEVICE_MODE_READY);
    }
}

static void choose_patterns(ein_device_t *device)
{
    const uint32_t now_ms = device->now_ms;
    hold(device, EIN_DEVICE_PATTERN_CONTACT_LOST,
         device->listens && !device->contact &&
             now_ms - device->contact_ms >= EIN_DEVICE_SIGNAL_LOST_MS);
    hold(device, EIN_DEVICE_PATTERN_NOISY,
         device->records && device->noisy &&
             now_ms - device->noisy_ms >= EIN_DEVICE_SIGNAL_NOISY_MS);
    if (device->battery.low && !device->battery.empty && now_ms - device->low_ms >= MINUTE_MS) {
        device->low_ms = now_ms;
        ein_device_pattern_once(&device->patterns, EIN_DEVICE_PATTERN_BATTERY_LOW);
    }
    if (device->verdict != EIN_DEVICE_PATTERN_NONE &&
        now_ms - device->verdict_ms >= EIN_DEVICE_STRIP_TOLD_MS) {
        forget_verdict(device);
    }
    const uint8_t alarm = ein_device_alarm_pattern(&device->alarms);
    for (uint8_t i = EIN_DEVICE_PATTERN_ALARM_SILENCED; i <= EIN_DEVICE_PATTERN_ALARM_URGENT; i++) {
        hold(device, i, i == alarm);
    }
}

unsigned ein_device_step(ein_device_t *device, bool button, uint32_t now_ms,
                         ein_device_alarm_change_t *change, bool *shows)
{
    device->now_ms = now_ms;
    unsigned happened = press(device, ein_device_button_step(&device->button, button, now_ms));
    await_contact(device);
    *change = ein_device_alarm_step(&device->alarms, now_ms);
    choose_patterns(device);
    *shows = ein_device_pattern_step(&device->patterns, now_ms);
    return happened;
}
