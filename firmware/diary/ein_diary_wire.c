#include "ein_diary_wire.h"

#define MS_PER_S 1000u

/* Of a log_bytes message: what is left of a payload behind its two numbers. */
#define MOST_BYTES (EIN_WIRE_MAX_PAYLOAD - 8u)

static void send_status(ein_log_t *log, ein_app_t *app, uint8_t sequence)
{
    ein_log_about_t about;
    ein_log_about(log, &about);
    const ein_wire_log_status_reply_t reply = {
        .ready = about.ready ? 1u : 0u,
        .sectors = about.sectors,
        .boot = about.boot,
        .bytes = about.bytes,
        .seconds = about.seconds,
        .oldest_sequence = about.oldest.sequence,
        .oldest_offset = about.oldest.offset,
        .next_sequence = about.next.sequence,
        .next_offset = about.next.offset,
        .records = about.records,
        .given_up = about.given_up,
        .lost = about.lost,
        .least_erases = about.least_erases,
        .most_erases = about.most_erases,
    };
    ein_app_send(app, EIN_WIRE_LOG_STATUS_REPLY, sequence,
                 ein_wire_put_log_status_reply(ein_app_payload(app), &reply));
}

static bool on_read(ein_log_t *log, ein_app_t *app, const ein_frame_t *frame)
{
    ein_wire_log_read_t read;
    if (!ein_wire_get_log_read(&read, frame->payload, frame->size)) {
        return false;
    }
    uint8_t bytes[MOST_BYTES];
    const size_t most = read.most < sizeof(bytes) ? read.most : sizeof(bytes);
    ein_log_position_t from = {read.log_sequence, read.offset};
    const size_t n = ein_log_read(log, &from, bytes, most);
    const ein_wire_log_bytes_t reply = {
        .log_sequence = from.sequence,
        .offset = from.offset,
        .bytes = bytes,
        .bytes_size = (uint8_t)n,
    };
    ein_app_send(app, EIN_WIRE_LOG_BYTES, frame->sequence,
                 ein_wire_put_log_bytes(ein_app_payload(app), &reply));
    return true;
}

static bool on_clear(ein_log_t *log, ein_app_t *app, const ein_frame_t *frame)
{
    ein_wire_log_clear_t clear;
    if (!ein_wire_get_log_clear(&clear, frame->payload, frame->size)) {
        return false;
    }
    ein_log_about_t about;
    ein_log_about(log, &about);
    if (clear.log_sequence != UINT32_MAX &&
        (clear.log_sequence != about.next.sequence || clear.offset != about.next.offset)) {
        ein_app_send_error(app, frame->sequence, EIN_WIRE_ERROR_NOT_NOW,
                           "something was logged since: fetch it first");
        return true;
    }
    ein_log_clear(log);
    send_status(log, app, frame->sequence);
    return true;
}

static bool on_time(ein_diary_t *diary, ein_diary_clock_t *clock, ein_app_t *app,
                    const ein_frame_t *frame)
{
    ein_wire_device_time_t message;
    if (!ein_wire_get_device_time(&message, frame->payload, frame->size)) {
        return false;
    }
    ein_wire_device_time_reply_t reply = {.known = clock->known ? 1u : 0u};
    const ein_log_moment_t utc = {message.unix_s + message.ms / MS_PER_S, message.ms % MS_PER_S};
    reply.moved_ms = ein_diary_clock_set(clock, (uint64_t)utc.s * MS_PER_S + utc.ms);
    ein_diary_time(diary, utc, clock->seen_ms);
    ein_app_send(app, EIN_WIRE_DEVICE_TIME_REPLY, frame->sequence,
                 ein_wire_put_device_time_reply(ein_app_payload(app), &reply));
    return true;
}

static ein_extension_answer_t taken(bool well_formed)
{
    return well_formed ? EIN_EXTENSION_TAKEN : EIN_EXTENSION_MALFORMED;
}

ein_extension_answer_t ein_diary_message(ein_diary_t *diary, ein_diary_clock_t *clock,
                                         ein_app_t *app, const ein_frame_t *frame)
{
    if (frame->type == EIN_WIRE_DEVICE_TIME) {
        return taken(on_time(diary, clock, app, frame));
    }
    if (!diary->has_log) {
        return EIN_EXTENSION_PASS;
    }
    switch (frame->type) {
    case EIN_WIRE_LOG_STATUS:
        if (frame->size != EIN_WIRE_LOG_STATUS_SIZE) {
            return EIN_EXTENSION_MALFORMED;
        }
        send_status(&diary->log, app, frame->sequence);
        return EIN_EXTENSION_TAKEN;
    case EIN_WIRE_LOG_READ:
        return taken(on_read(&diary->log, app, frame));
    case EIN_WIRE_LOG_CLEAR:
        return taken(on_clear(&diary->log, app, frame));
    default:
        return EIN_EXTENSION_PASS;
    }
}
