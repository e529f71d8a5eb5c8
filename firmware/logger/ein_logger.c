/* A board that keeps a log and is no device of its own: what ein_app_extension.h asks for, in a
 * build with firmware/log and firmware/diary and without firmware/device.
 *
 * While no host says anything it records its own ADC, without end, and keeps minutes, episodes and
 * what happened in the log. A host may take the session at any time; the recording then ends, and
 * another begins once the host has been quiet. Minutes without contact are not kept, so that a
 * board which nobody touches does not give up what it knows. It has no key: who holds its cable may
 * read and delete, as he may replace a patient's head. RAM: 0.7 KB. Errors: as the log's.
 */
#include "ein_app_extension.h"
#include "ein_diary_wire.h"
#include "ein_logger_port.h"
#include "ein_port.h"

/* A host that is quiet for so long is gone; one that has a session open may only be slow. */
#define QUIET_MS 10000u
#define QUIET_IN_SESSION_MS 60000u
/* After a stall, a host gets a word in between. */
#define BURST_SAMPLES 64u

static struct {
    bool recording;
    uint32_t recordings;
    uint32_t host_ms; /* when it last said something */
    ein_diary_clock_t clock;
    ein_diary_t diary;
} logger;

static void log_event(ein_log_event_code_t event, uint8_t detail)
{
    ein_diary_event(&logger.diary, event, detail, 0, 0, logger.clock.seen_ms);
}

static bool is_own(const ein_session_t *session)
{
    return session->id != 0 && session->mode == EIN_WIRE_MODE_ALONE && !session->finishing;
}

static void begin(ein_app_t *app)
{
    ein_port_info_t port;
    ein_port_info(&port);
    const ein_wire_start_t start = {
        .session = logger.recordings + 1u,
        .mode = EIN_WIRE_MODE_ALONE,
        .gain_lsb_per_mv = port.adc_gain_lsb_per_mv,
        .rail_lo = port.adc_rail_lo,
        .rail_hi = port.adc_rail_hi,
    };
    logger.host_ms = logger.clock.seen_ms;
    if (!app->model_fits || ein_session_start(&app->session, &start) != EIN_OK) {
        return;
    }
    int16_t sample;
    uint32_t lost;
    while (ein_port_adc(&sample, &lost)) { /* what waits is older than the recording */
    }
    if (logger.recordings++ == 0) {
        log_event(EIN_LOG_EVENT_BOOT, (uint8_t)port.reset_reason);
    }
    log_event(EIN_LOG_EVENT_MODE, EIN_WIRE_DEVICE_MODE_CONTINUOUS);
    ein_diary_begin(&logger.diary, false, logger.clock.seen_ms);
    logger.recording = true;
}

static void end(ein_app_t *app)
{
    ein_session_t *session = &app->session;
    if (is_own(session)) {
        while (!ein_session_finish(session)) { /* never: nobody waits for this mode's outbox */
        }
        session->id = 0;
    }
    ein_diary_end(&logger.diary, logger.clock.seen_ms);
    log_event(EIN_LOG_EVENT_MODE, EIN_WIRE_DEVICE_MODE_READY);
    logger.recording = false;
}

static bool record(ein_app_t *app)
{
    int16_t sample;
    uint32_t lost = 0, n = 0;
    for (; n < BURST_SAMPLES && ein_port_adc(&sample, &lost); n++) {
        if (lost > 0) {
            ein_app_lose(app, lost);
            ein_diary_lost(&logger.diary, lost, logger.clock.seen_ms);
        }
        ein_app_take(app, sample);
        const uint16_t flags = app->session.signal_state;
        const bool contact = (flags & EIN_FLAG_LEAD_OFF) == 0;
        const bool clean = (flags & (EIN_FLAG_NOISY | EIN_FLAG_SATURATED)) == 0;
        ein_diary_sample(&logger.diary, contact, contact && clean, logger.clock.seen_ms);
    }
    return n > 0;
}

void ein_extension_init(ein_app_t *app)
{
    (void)app;
    const uint32_t now_ms = ein_logger_port_ms();
    ein_diary_open(&logger.diary);
    logger.diary.skips = true;
    ein_diary_clock_init(&logger.clock, now_ms);
    logger.host_ms = now_ms;
}

ein_extension_answer_t ein_extension_message(ein_app_t *app, const ein_frame_t *frame)
{
    logger.host_ms = logger.clock.seen_ms;
    if (logger.recording && (frame->type == EIN_WIRE_START || frame->type == EIN_WIRE_RESET)) {
        end(app);
    }
    return ein_diary_message(&logger.diary, &logger.clock, app, frame);
}

bool ein_extension_event(ein_app_t *app, const ein_outbox_event_t *event)
{
    if (app->session.mode != EIN_WIRE_MODE_ALONE) {
        return true;
    }
    if (event->type == EIN_WIRE_BEAT) {
        ein_diary_beat(&logger.diary, &event->beat);
    } else if (event->type == EIN_WIRE_RHYTHM) {
        ein_diary_rhythm(&logger.diary, &event->beat, logger.clock.seen_ms);
    }
    return app->trace.sending;
}

bool ein_extension_step(ein_app_t *app)
{
    const ein_session_t *session = &app->session;
    ein_diary_clock_step(&logger.clock, ein_logger_port_ms());
    const uint32_t quiet_ms = logger.clock.seen_ms - logger.host_ms;
    if (logger.recording && !is_own(session)) {
        end(app);
    }
    if (quiet_ms >= QUIET_MS) {
        app->trace.sending = false;
        const bool waits = session->id != 0 && !session->finished && quiet_ms < QUIET_IN_SESSION_MS;
        if (!logger.recording && !waits) {
            begin(app);
        }
    }
    const bool busy = logger.recording && record(app);
    ein_diary_step(&logger.diary, logger.clock.seen_ms, !logger.recording);
    return busy;
}
