/* Compiled and run by einthoven/device/tests/test_modes.py: the device tick by tick, on a made-up
 * clock. */
#include "ein_device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ein_strip_table.h"
#include "ein_types.h"

#define TICK_MS 10u
#define NEVER 0xFFFFFFFFu

static void check_at(int good, const char *what, int line)
{
    if (!good) {
        printf("failed in line %d: %s\n", line, what);
        exit(1);
    }
}
#define check(good, what) check_at(good, what, __LINE__)

/* A device and all that happens to it. */
typedef struct {
    ein_device_t device;
    uint32_t now_ms;
    bool button, contact;
    unsigned happened;
    uint16_t raised, ended;
    uint32_t led_ms, tone_ms; /* on, since the counts were last set to 0 */
    uint32_t samples_q10;     /* of the next sample */
} bench_t;

static void tick(bench_t *bench)
{
    ein_device_alarm_change_t change;
    bool shows;
    bench->now_ms += TICK_MS;
    for (bench->samples_q10 += EIN_PIPELINE_RATE_HZ * TICK_MS; bench->samples_q10 >= 1000u;
         bench->samples_q10 -= 1000u) {
        if (bench->device.listens) {
            ein_device_samples(&bench->device, bench->contact, 1);
        }
    }
    bench->happened |=
        ein_device_step(&bench->device, bench->button, bench->now_ms, &change, &shows);
    bench->raised |= change.raised;
    bench->ended |= change.ended;
    bench->led_ms += bench->device.patterns.led ? TICK_MS : 0u;
    bench->tone_ms += bench->device.patterns.tone != 0 ? TICK_MS : 0u;
}

static void run_ms(bench_t *bench, uint32_t ms)
{
    for (uint32_t t = 0; t < ms; t += TICK_MS) {
        tick(bench);
    }
}

static void press(bench_t *bench, uint32_t ms)
{
    bench->button = true;
    run_ms(bench, ms);
    bench->button = false;
    run_ms(bench, 100);
}

/* Begins a little before the clock wraps. */
static void switch_on(bench_t *bench, uint8_t faults)
{
    memset(bench, 0, sizeof(*bench));
    bench->now_ms = NEVER - 20000u;
    ein_device_init(&bench->device, false, bench->now_ms);
    run_ms(bench, 100);
    check(bench->device.mode == EIN_DEVICE_MODE_CHECK, "power on is check");
    ein_device_checked(&bench->device, faults);
    run_ms(bench, 100);
}

static void test_button(void)
{
    ein_device_button_t button;
    ein_device_button_init(&button, false, 0);
    unsigned shorts = 0, longs = 0;
    for (uint32_t t = 1; t < 20000; t++) {
        /* Bounces for 20 ms around each edge of a press of 300 ms at 1 s, and of 5 s at 4 s. */
        const bool held = (t >= 1000 && t < 1300) || (t >= 4000 && t < 9000);
        const bool edge = t % 1000 < 20 || (t >= 1300 && t < 1320);
        const bool contact = edge && t < 9100 ? (t / 3) % 2 == 0 : held;
        const ein_device_press_t press = ein_device_button_step(&button, contact, t);
        shorts += press == EIN_DEVICE_PRESS_SHORT;
        longs += press == EIN_DEVICE_PRESS_LONG;
        check(press != EIN_DEVICE_PRESS_LONG || (t > 5500 && t < 5560), "long: told while held");
    }
    check(shorts == 1 && longs == 1, "a press that bounces is one press");
    ein_device_button_init(&button, true, 0);
    for (uint32_t t = 1; t < 5000; t++) {
        check(ein_device_button_step(&button, t < 3000, t) == EIN_DEVICE_PRESS_NONE,
              "held at the start: nothing");
    }
}

static void test_patterns(void)
{
    ein_device_patterns_t patterns;
    ein_device_pattern_init(&patterns);
    ein_device_pattern_hold(&patterns, EIN_DEVICE_PATTERN_RECORDING, true);
    ein_device_pattern_step(&patterns, 0);
    check(patterns.shown == EIN_DEVICE_PATTERN_RECORDING && !patterns.led, "recording is dark");
    ein_device_pattern_once(&patterns, EIN_DEVICE_PATTERN_BEAT);
    check(ein_device_pattern_step(&patterns, 10) && patterns.led, "a beat flashes");
    check(!ein_device_pattern_step(&patterns, 100) && patterns.led, "for two slots");
    check(ein_device_pattern_step(&patterns, 110) && !patterns.led, "and no longer");
    check(patterns.shown == EIN_DEVICE_PATTERN_RECORDING, "then it is recording again");

    ein_device_pattern_once(&patterns, EIN_DEVICE_PATTERN_BEAT);
    ein_device_pattern_step(&patterns, 200);
    ein_device_pattern_hold(&patterns, EIN_DEVICE_PATTERN_CONTACT_LOST, true);
    ein_device_pattern_step(&patterns, 210);
    check(patterns.shown == EIN_DEVICE_PATTERN_CONTACT_LOST, "a higher one is shown at once");
    ein_device_pattern_once(&patterns, EIN_DEVICE_PATTERN_BEAT);
    ein_device_pattern_hold(&patterns, EIN_DEVICE_PATTERN_CONTACT_LOST, false);
    ein_device_pattern_step(&patterns, 220);
    check(patterns.shown == EIN_DEVICE_PATTERN_RECORDING, "beats under it were left out");
    ein_device_pattern_hold(&patterns, EIN_DEVICE_PATTERN_RECORDING, false);
    ein_device_pattern_step(&patterns, 230);
    check(patterns.shown == EIN_DEVICE_PATTERN_NONE && !patterns.led && patterns.tone == 0,
          "nothing holds, nothing is shown");
    ein_device_pattern_hold(&patterns, EIN_DEVICE_PATTERN_ERROR, true);
    ein_device_pattern_step(&patterns, 1000);
    ein_device_pattern_step(&patterns, 60000);
    check(patterns.until_ms - 60000u <= 31u * EIN_DEVICE_SLOT_MS,
          "after a stall it is not in a hurry");
}

static void test_battery(void)
{
    ein_device_battery_t battery;
    ein_device_battery_init(&battery);
    check(ein_device_battery_percent(&battery) == 255, "unknown");
    check(!ein_device_battery_read(&battery, 0), "no reading");
    const uint16_t under = EIN_DEVICE_BATTERY_LOW_MV - 1;
    check(!ein_device_battery_read(&battery, under) && !ein_device_battery_read(&battery, under) &&
              !battery.low,
          "two readings are none");
    check(ein_device_battery_read(&battery, under) && battery.low && !battery.empty, "three are");
    check(!ein_device_battery_read(&battery, under + 30u), "a little above is still low");
    check(
        ein_device_battery_read(&battery, EIN_DEVICE_BATTERY_LOW_MV + EIN_DEVICE_BATTERY_BACK_MV) &&
            !battery.low,
        "well above it is not");
    ein_device_battery_read(&battery, EIN_DEVICE_BATTERY_FULL_MV);
    check(ein_device_battery_percent(&battery) == 100, "full");
    ein_device_battery_read(&battery,
                            (EIN_DEVICE_BATTERY_FULL_MV + EIN_DEVICE_BATTERY_EMPTY_MV) / 2);
    check(ein_device_battery_percent(&battery) == 50, "half");
}

static void test_strip(void)
{
    bench_t bench;
    switch_on(&bench, 0);
    check(bench.device.mode == EIN_DEVICE_MODE_READY && !bench.device.listens, "ready");
    press(&bench, 200);
    check(bench.device.mode == EIN_DEVICE_MODE_STRIP && bench.device.listens &&
              !bench.device.records,
          "a short press: waits for contact");
    run_ms(&bench, 2000);
    check(bench.device.patterns.shown == EIN_DEVICE_PATTERN_CONTACT_LOST, "and asks for it");
    bench.contact = true;
    run_ms(&bench, EIN_DEVICE_STRIP_CONTACT_MS - 100);
    check(!bench.device.records, "contact must rest");
    run_ms(&bench, 200);
    check(bench.device.records && bench.device.patterns.shown == EIN_DEVICE_PATTERN_BEGIN,
          "begins");
    run_ms(&bench, EIN_DEVICE_STRIP_SECONDS * 1000u - 300u);
    check(bench.device.records, "30 s are not over");
    run_ms(&bench, 400);
    check(!bench.device.records && !bench.device.listens && !bench.device.cancelled &&
              bench.device.mode == EIN_DEVICE_MODE_READY,
          "30 s are over");
    ein_device_verdict(&bench.device, EIN_STRIP_VERDICT_FIBRILLATION);
    run_ms(&bench, 100);
    check(bench.device.patterns.shown == EIN_DEVICE_PATTERN_VERDICT_A, "the verdict is shown");
    press(&bench, 200);
    check(bench.device.patterns.shown == EIN_DEVICE_PATTERN_READY &&
              bench.device.mode == EIN_DEVICE_MODE_READY,
          "a press ends that, and begins nothing");
    ein_device_verdict(&bench.device, EIN_STRIP_VERDICT_NOISY);
    run_ms(&bench, EIN_DEVICE_STRIP_TOLD_MS + 100u);
    check(bench.device.patterns.shown == EIN_DEVICE_PATTERN_READY, "or its time");
}

static void test_strip_given_up(void)
{
    bench_t bench;
    switch_on(&bench, 0);
    press(&bench, 200);
    run_ms(&bench, EIN_DEVICE_STRIP_WAIT_MS);
    check(bench.device.mode == EIN_DEVICE_MODE_READY && !bench.device.listens,
          "nobody touches it: ready");
    bench.contact = true;
    press(&bench, 200);
    run_ms(&bench, 10000);
    check(bench.device.records, "records");
    press(&bench, 200);
    check(bench.device.mode == EIN_DEVICE_MODE_READY && bench.device.cancelled, "given up");
}

static void test_continuous(void)
{
    bench_t bench;
    switch_on(&bench, 0);
    bench.contact = true;
    press(&bench, 2000);
    check(bench.device.mode == EIN_DEVICE_MODE_CONTINUOUS && bench.device.records,
          "a long press: at once");
    run_ms(&bench, 60000);
    press(&bench, 200);
    check((bench.happened & EIN_DEVICE_MARKED) != 0, "a short press is a mark");
    bench.contact = false;
    run_ms(&bench, EIN_DEVICE_SIGNAL_LOST_MS + 100u);
    check(bench.device.records && bench.device.patterns.shown == EIN_DEVICE_PATTERN_CONTACT_LOST,
          "contact lost is shown, and it goes on");
    bench.contact = true;
    run_ms(&bench, 100);
    ein_device_signal(&bench.device, EIN_FLAG_NOISY);
    run_ms(&bench, EIN_DEVICE_SIGNAL_NOISY_MS + 100u);
    check(bench.device.patterns.shown == EIN_DEVICE_PATTERN_NOISY, "so is noise that lasts");
    ein_device_signal(&bench.device, 0);
    run_ms(&bench, 100);
    ein_device_beat(&bench.device);
    tick(&bench);
    check(bench.device.patterns.shown == EIN_DEVICE_PATTERN_BEAT, "beats flash");
    check(!ein_device_request(&bench.device, EIN_DEVICE_MODE_STRIP), "no strip meanwhile");
    check(ein_device_request(&bench.device, EIN_DEVICE_MODE_CONTINUOUS), "it is that already");
    press(&bench, 2000);
    check(bench.device.mode == EIN_DEVICE_MODE_READY && !bench.device.records,
          "a long press ends it");
}

static void test_check_fails(void)
{
    bench_t bench;
    switch_on(&bench, EIN_DEVICE_CHECK_ENGINE);
    check(bench.device.mode == EIN_DEVICE_MODE_FAULT &&
              bench.device.patterns.shown == EIN_DEVICE_PATTERN_ERROR,
          "fault");
    press(&bench, 200);
    press(&bench, 2000);
    check(!bench.device.listens && !ein_device_request(&bench.device, EIN_DEVICE_MODE_STRIP),
          "nothing can be recorded");
    switch_on(&bench, EIN_DEVICE_CHECK_LOG);
    check(bench.device.mode == EIN_DEVICE_MODE_READY, "without a log there is still a verdict");
}

static void test_battery_ends_a_recording(void)
{
    bench_t bench;
    switch_on(&bench, 0);
    bench.contact = true;
    press(&bench, 2000);
    for (int i = 0; i < 3; i++) {
        ein_device_battery(&bench.device, EIN_DEVICE_BATTERY_LOW_MV - 1);
        run_ms(&bench, 20);
    }
    check(bench.device.patterns.shown == EIN_DEVICE_PATTERN_BATTERY_LOW && bench.device.records,
          "low: told, and goes on");
    for (int i = 0; i < 3; i++) {
        ein_device_battery(&bench.device, EIN_DEVICE_BATTERY_EMPTY_MV - 1);
    }
    run_ms(&bench, 100);
    check(!bench.device.records && bench.device.patterns.shown == EIN_DEVICE_PATTERN_BATTERY_EMPTY,
          "empty: ends");
    press(&bench, 2000);
    check(!bench.device.listens, "and nothing begins");
}

static void test_alarm(void)
{
    bench_t bench;
    switch_on(&bench, 0);
    bench.contact = true;
    press(&bench, 2000);
    ein_device_alarms_t *alarms = &bench.device.alarms;
    const uint16_t asystole = 1u << EIN_DEVICE_ALARM_ASYSTOLE;

    ein_device_alarm_change_t change =
        ein_device_alarm_rhythm(alarms, EIN_RHYTHM_VF, EIN_RHYTHM_BEGIN, 0, bench.now_ms);
    run_ms(&bench, 1000);
    check(change.raised == 0 && bench.raised == 0, "an alarm that is off is not raised");

    change =
        ein_device_alarm_rhythm(alarms, EIN_RHYTHM_ASYSTOLE, EIN_RHYTHM_BEGIN, 4000, bench.now_ms);
    check(change.raised == asystole, "asystole is on");
    bench.tone_ms = 0;
    run_ms(&bench, 2000);
    check(bench.device.patterns.shown == EIN_DEVICE_PATTERN_ALARM_URGENT && bench.tone_ms > 500,
          "it sounds");
    press(&bench, 200);
    check((bench.happened & EIN_DEVICE_SILENCED) != 0 &&
              (bench.happened & EIN_DEVICE_MARKED) == 0 &&
              bench.device.mode == EIN_DEVICE_MODE_CONTINUOUS,
          "a short press silences");
    bench.tone_ms = 0;
    run_ms(&bench, 58000);
    check(bench.tone_ms == 0 && bench.device.patterns.shown == EIN_DEVICE_PATTERN_ALARM_SILENCED,
          "for its time");
    run_ms(&bench, 4000);
    check(bench.tone_ms > 500, "then it sounds again, since it is still there");

    ein_device_alarm_rhythm(alarms, EIN_RHYTHM_ASYSTOLE, EIN_RHYTHM_END, 80000, bench.now_ms);
    run_ms(&bench, 5000);
    ein_device_alarm_rhythm(alarms, EIN_RHYTHM_ASYSTOLE, EIN_RHYTHM_BEGIN, 0, bench.now_ms);
    check(bench.ended == 0, "what comes back is the same alarm");
    ein_device_alarm_rhythm(alarms, EIN_RHYTHM_ASYSTOLE, EIN_RHYTHM_END, 5000, bench.now_ms);
    run_ms(&bench, 11000);
    check(bench.ended == asystole && alarms->raised == 0, "over, seen: ended after its release");

    change =
        ein_device_alarm_rhythm(alarms, EIN_RHYTHM_ASYSTOLE, EIN_RHYTHM_BEGIN, 0, bench.now_ms);
    check(change.raised == asystole, "raised anew");
    ein_device_alarm_rhythm(alarms, EIN_RHYTHM_ASYSTOLE, EIN_RHYTHM_END, 500, bench.now_ms);
    run_ms(&bench, 120000);
    check((alarms->raised & asystole) != 0 &&
              bench.device.patterns.shown == EIN_DEVICE_PATTERN_ALARM_URGENT,
          "it latches: nobody has seen it");
    press(&bench, 200);
    run_ms(&bench, 100);
    check(alarms->raised == 0, "until somebody has");
}

static void test_alarm_delay(void)
{
    ein_device_alarms_t alarms;
    const uint16_t all = 0xFFFF;
    const uint16_t slow = 1u << EIN_DEVICE_ALARM_SLOW, pause = 1u << EIN_DEVICE_ALARM_PAUSE;
    ein_device_alarm_init(&alarms, all);
    ein_device_alarm_rhythm(&alarms, EIN_RHYTHM_BRADYCARDIA, EIN_RHYTHM_BEGIN, 8000, 100000);
    check(ein_device_alarm_step(&alarms, 121000).raised == 0, "29 s are not 30");
    check(ein_device_alarm_step(&alarms, 122000).raised == slow,
          "the time before it was told counts");
    ein_device_alarm_rhythm(&alarms, EIN_RHYTHM_BRADYCARDIA, EIN_RHYTHM_END, 40000, 140000);
    check(ein_device_alarm_step(&alarms, 169000).ended == 0, "hysteresis");
    check(ein_device_alarm_step(&alarms, 170000).ended == slow,
          "one that does not latch ends alone");
    check(ein_device_alarm_rhythm(&alarms, EIN_RHYTHM_PAUSE, EIN_RHYTHM_END, 2500, 200000).raised ==
              pause,
          "what is told only when it is over is raised all the same");
    check(ein_device_alarm_rhythm(&alarms, EIN_RHYTHM_BRADYCARDIA, EIN_RHYTHM_END, 9000, 210000)
                  .raised == 0,
          "unless it was too short");
    check(ein_device_alarm_set(&alarms, slow).ended == pause, "switched off: ended");
    ein_device_alarm_rhythm(&alarms, EIN_RHYTHM_BRADYCARDIA, EIN_RHYTHM_BEGIN, 0, 220000);
    ein_device_alarm_stop(&alarms, 230000);
    check(ein_device_alarm_step(&alarms, 300000).raised == 0,
          "the recording has ended: nothing lasts");
}

static void test_alarm_settings(void)
{
    ein_device_alarms_t alarms, other;
    ein_device_alarm_init(&alarms, 1u << EIN_DEVICE_ALARM_AF | 1u << EIN_DEVICE_ALARM_VT);
    ein_device_alarm_init(&other, EIN_DEVICE_ALARMS_ON);
    const uint32_t kept = ein_device_alarm_settings(&alarms);
    ein_device_alarm_restore(&other, 0);
    check(other.on == EIN_DEVICE_ALARMS_ON, "nothing was kept: as delivered");
    ein_device_alarm_restore(&other, kept + (1u << 16));
    check(other.on == EIN_DEVICE_ALARMS_ON, "of another table: as delivered");
    ein_device_alarm_restore(&other, kept);
    check(other.on == alarms.on, "kept");
    ein_device_alarm_set(&alarms, 0);
    ein_device_alarm_restore(&other, ein_device_alarm_settings(&alarms));
    check(other.on == 0, "none may be kept, too");
}

int main(void)
{
    test_button();
    test_patterns();
    test_battery();
    test_strip();
    test_strip_given_up();
    test_continuous();
    test_check_fails();
    test_battery_ends_a_recording();
    test_alarm();
    test_alarm_delay();
    test_alarm_settings();
    printf("all good\n");
    return 0;
}
