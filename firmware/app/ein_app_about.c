/* Who the board is, and what it costs. */
#include "ein_app_state.h"

#include <string.h>

#include "ein_head.h"
#include "ein_model.h"
#include "ein_port.h"

typedef char
    ein_check_units[(int)EIN_COUNT_INSTRUCTIONS == (int)EIN_WIRE_COUNT_UNIT_INSTRUCTIONS &&
                            (int)EIN_COUNT_CYCLES == (int)EIN_WIRE_COUNT_UNIT_CYCLES &&
                            (int)EIN_COUNT_NANOSECONDS == (int)EIN_WIRE_COUNT_UNIT_NANOSECONDS
                        ? 1
                        : -1];
typedef char ein_check_reasons[(int)EIN_RESET_WATCHDOG == (int)EIN_WIRE_RESET_REASON_WATCHDOG &&
                                       (int)EIN_RESET_FAULT == (int)EIN_WIRE_RESET_REASON_FAULT
                                   ? 1
                                   : -1];

bool ein_app_on_hello(ein_app_t *app, const ein_frame_t *frame)
{
    ein_wire_hello_t hello;
    if (!ein_wire_get_hello(&hello, frame->payload, frame->size)) {
        return false;
    }
    static const uint8_t model_sha256[32] = EIN_MODEL_SHA256_BYTES;
    static const uint8_t pipeline_sha256[32] = EIN_PIPELINE_SHA256_BYTES;
    ein_port_info_t port;
    ein_port_info(&port);
    if (app->session.id == 0) { /* an upload may have been broken off */
        ein_head_load();
    }
    ein_wire_hello_reply_t reply = {
        .protocol = EIN_WIRE_VERSION,
        .reset_reason = (uint8_t)port.reset_reason,
        .count_unit = (uint8_t)port.count_unit,
        .adc_bits = port.adc_bits,
        .gain_lsb_per_mv = port.adc_gain_lsb_per_mv,
        .rail_lo = port.adc_rail_lo,
        .rail_hi = port.adc_rail_hi,
        .rate_hz = EIN_PIPELINE_RATE_HZ,
        .window_samples = EIN_WINDOW_SAMPLES,
        .channels = EIN_CHANNELS,
        .features = EIN_FEATURES,
        .arena_bytes = EIN_MODEL_ARENA_BYTES,
        .head = (uint8_t)ein_head_state(),
        .head_bytes = EIN_MODEL_HEAD_BYTES,
        .head_crc = ein_head_crc(),
        .board = port.board,
        .model = EIN_MODEL_NAME,
        .build = port.build,
        .serial = port.serial,
        .classes = EIN_CLASS_NAMES,
    };
    memcpy(reply.model_sha256, model_sha256, sizeof(model_sha256));
    memcpy(reply.pipeline_sha256, pipeline_sha256, sizeof(pipeline_sha256));
    ein_app_send(app, EIN_WIRE_HELLO_REPLY, frame->sequence,
                 ein_wire_put_hello_reply(ein_app_payload(app), &reply));
    return true;
}

bool ein_app_on_info(ein_app_t *app, const ein_frame_t *frame)
{
    if (frame->size != EIN_WIRE_INFO_SIZE) {
        return false;
    }
    const ein_session_t *session = &app->session;
    const ein_stats_t *sample = &session->per_sample;
    const ein_stats_t *inference = &session->per_inference;
    ein_port_info_t port;
    ein_port_info(&port);
    ein_wire_info_reply_t reply = {
        .stack_bytes = port.stack_bytes,
        .stack_used_bytes = port.stack_used_bytes,
        .arena_bytes = EIN_MODEL_ARENA_BYTES,
        .static_bytes = (uint32_t)(sizeof(*app) + EIN_MODEL_ARENA_BYTES),
        .samples = sample->n,
        .sample_count_min = sample->min,
        .sample_count_max = sample->max,
        .sample_count_sum = sample->sum,
        .inferences = inference->n,
        .inference_count_min = inference->min,
        .inference_count_max = inference->max,
        .inference_count_sum = inference->sum,
        .event_count_max = session->event_count_max,
        .rejected_frames = app->decoder.rejected_frames,
        .rejected_bytes = app->decoder.rejected_bytes,
        .rx_overruns = port.rx_overruns,
        .tx_dropped_frames = app->tx.dropped_frames,
        .events_resent = app->events_resent,
        .events_lost = session->events_lost,
    };
    ein_app_send(app, EIN_WIRE_INFO_REPLY, frame->sequence,
                 ein_wire_put_info_reply(ein_app_payload(app), &reply));
    return true;
}
