/* The host and the device: status, mode, time, alarms; and what must wait until a recording ends.
 */
#include "ein_device_keys.h"
#include "ein_device_port.h"
#include "ein_device_state.h"
#include "ein_keys.h"

#define MS_PER_S 1000u

typedef char ein_check_verdicts[(int)EIN_SELF_TEST_NONE == (int)EIN_WIRE_SELF_TEST_UNTESTED &&
                                        (int)EIN_SELF_TEST_GAIN == (int)EIN_WIRE_SELF_TEST_GAIN
                                    ? 1
                                    : -1];

static void send_status(ein_device_state_t *device, ein_app_t *app, uint8_t sequence)
{
    const ein_device_t *modes = &device->modes;
    ein_wire_device_status_reply_t reply = {
        .mode = modes->mode,
        .faults = modes->faults,
        .contact = modes->contact ? 1u : 0u,
        .battery_percent = ein_device_battery_percent(&modes->battery),
        .battery_mv = modes->battery.mv,
        .alarms_on = modes->alarms.on,
        .alarms_raised = modes->alarms.raised,
        .alarms_silent = modes->alarms.silent,
        .boots = device->diary.log.boot,
        .uptime_s = (uint32_t)(device->clock.uptime_ms / MS_PER_S),
        .unix_s = ein_diary_clock_unix_s(&device->clock),
        .recordings = device->recordings,
        .samples = device->samples,
        .samples_lost = device->samples_lost,
        .front_end_restarts = device->front_end_restarts,
        .log_failures = device->diary.failures,
        .verdict = device->verdict,
        .pattern = modes->patterns.shown,
    };
    ein_app_send(app, EIN_WIRE_DEVICE_STATUS_REPLY, sequence,
                 ein_wire_put_device_status_reply(ein_app_payload(app), &reply));
}

static bool on_mode(ein_device_state_t *device, ein_app_t *app, const ein_frame_t *frame)
{
    ein_wire_device_mode_t message;
    if (!ein_wire_get_device_mode(&message, frame->payload, frame->size)) {
        return false;
    }
    if (!ein_device_request(&device->modes, message.mode)) {
        ein_app_send_error(app, frame->sequence, EIN_WIRE_ERROR_NOT_NOW,
                           device->modes.mode == EIN_DEVICE_MODE_CHECK
                               ? "it still tests itself: try again in 5 s"
                               : "not from this mode, or the battery is empty");
        return true;
    }
    if (device->modes.listens) {
        app->session.id = 0; /* a replay that was broken off */
    }
    send_status(device, app, frame->sequence);
    return true;
}

static bool on_silence(ein_device_state_t *device, ein_app_t *app, const ein_frame_t *frame)
{
    if (frame->size != EIN_WIRE_DEVICE_SILENCE_SIZE) {
        return false;
    }
    ein_wire_device_silence_reply_t reply = {ein_device_silence(&device->modes)};
    if (reply.alarms != 0) {
        ein_diary_event(&device->diary, EIN_LOG_EVENT_ALARM_SILENCED, 0, reply.alarms,
                        device->modes.battery.mv, device->clock.seen_ms);
    }
    ein_app_send(app, EIN_WIRE_DEVICE_SILENCE_REPLY, frame->sequence,
                 ein_wire_put_device_silence_reply(ein_app_payload(app), &reply));
    return true;
}

static bool on_alarms(ein_device_state_t *device, ein_app_t *app, const ein_frame_t *frame)
{
    ein_wire_device_alarms_t message;
    if (!ein_wire_get_device_alarms(&message, frame->payload, frame->size)) {
        return false;
    }
    if (!ein_device_keys_allow(app, frame->sequence)) {
        return true;
    }
    ein_device_alarm_set(&device->modes.alarms, message.on);
    const bool kept = ein_keys_keep_settings(ein_device_alarm_settings(&device->modes.alarms));
    ein_diary_event(&device->diary, EIN_LOG_EVENT_SETTINGS, (uint8_t)!kept, device->modes.alarms.on,
                    device->modes.battery.mv, device->clock.seen_ms);
    send_status(device, app, frame->sequence);
    return true;
}

static bool on_front_end(const ein_device_state_t *device, ein_app_t *app, const ein_frame_t *frame)
{
    if (frame->size != EIN_WIRE_FRONT_END_SIZE) {
        return false;
    }
    const ein_front_end_t *part = ein_device_port_front_end();
    const ein_self_test_result_t *found = &device->front_end_check.test.result;
    ein_wire_front_end_reply_t reply = {
        .state = EIN_WIRE_FRONT_END_STATE_NONE,
        .verdict = found->verdict,
        .noise_uv = found->noise_uv,
        .gain_permille = found->gain_permille,
        .part = "",
    };
    if (part != NULL) {
        const bool tests = device->modes.mode == EIN_DEVICE_MODE_CHECK;
        reply.state = tests ? EIN_WIRE_FRONT_END_STATE_TESTING : EIN_WIRE_FRONT_END_STATE_DONE;
        reply.part = ein_front_end_info(part)->name;
    }
    ein_app_send(app, EIN_WIRE_FRONT_END_REPLY, frame->sequence,
                 ein_wire_put_front_end_reply(ein_app_payload(app), &reply));
    return true;
}

/* What takes the session, the model or the board away from a recording. */
static bool must_wait(uint8_t type)
{
    switch (type) {
    case EIN_WIRE_START:
    case EIN_WIRE_SAMPLES:
    case EIN_WIRE_GAP:
    case EIN_WIRE_FINISH:
    case EIN_WIRE_TENSOR:
    case EIN_WIRE_BENCH:
    case EIN_WIRE_HEAD_PIECE:
    case EIN_WIRE_HEAD_STORE:
    case EIN_WIRE_HEAD_REMOVE:
    case EIN_WIRE_RESET:
    case EIN_WIRE_MEMORY:
    case EIN_WIRE_HANG:
        return true;
    default:
        return false;
    }
}

static ein_extension_answer_t taken(bool well_formed)
{
    return well_formed ? EIN_EXTENSION_TAKEN : EIN_EXTENSION_MALFORMED;
}

ein_extension_answer_t ein_device_wire_message(ein_device_state_t *device, ein_app_t *app,
                                               const ein_frame_t *frame)
{
    device->host = true;
    device->host_ms = device->modes.now_ms;
    switch (frame->type) {
    case EIN_WIRE_DEVICE_STATUS:
        if (frame->size != EIN_WIRE_DEVICE_STATUS_SIZE) {
            return EIN_EXTENSION_MALFORMED;
        }
        send_status(device, app, frame->sequence);
        return EIN_EXTENSION_TAKEN;
    case EIN_WIRE_DEVICE_MODE:
        return taken(on_mode(device, app, frame));
    case EIN_WIRE_DEVICE_SILENCE:
        return taken(on_silence(device, app, frame));
    case EIN_WIRE_DEVICE_ALARMS:
        return taken(on_alarms(device, app, frame));
    case EIN_WIRE_FRONT_END:
        return taken(on_front_end(device, app, frame));
    case EIN_WIRE_POLL: /* the events are the patient's */
        return !device->recording || ein_device_keys_allow(app, frame->sequence)
                   ? EIN_EXTENSION_PASS
                   : EIN_EXTENSION_TAKEN;
    case EIN_WIRE_WATCH: /* and so are the samples, and what is kept of them */
    case EIN_WIRE_LOG_READ:
    case EIN_WIRE_LOG_CLEAR:
    case EIN_WIRE_DEVICE_TIME:
        return ein_device_keys_allow(app, frame->sequence) ? EIN_EXTENSION_PASS
                                                           : EIN_EXTENSION_TAKEN;
    default:
        break;
    }
    if (device->modes.listens && must_wait(frame->type)) {
        ein_app_send_error(app, frame->sequence, EIN_WIRE_ERROR_BUSY,
                           "the device is recording: end that first");
        return EIN_EXTENSION_TAKEN;
    }
    return EIN_EXTENSION_PASS;
}
