#include "ein_device_update.h"

#include "ein_device_keys.h"
#include "ein_port.h"
#include "ein_slots.h"
#include "ein_update.h"

typedef char
    ein_check_states[(int)EIN_SLOT_REFUSED == (int)EIN_WIRE_IMAGE_STATE_REFUSED &&
                             (int)EIN_SLOT_CONFIRMED == (int)EIN_WIRE_IMAGE_STATE_CONFIRMED &&
                             (int)EIN_UPDATE_PENDING == (int)EIN_WIRE_UPDATE_STATE_PENDING
                         ? 1
                         : -1];

static bool to_confirm;

void ein_device_update_init(bool healthy)
{
    ein_update_init();
    to_confirm = healthy;
}

static void send_status(ein_app_t *app, uint8_t sequence)
{
    const unsigned running = ein_slots_port_running();
    const unsigned slot = ein_update_slot();
    ein_image_t images[EIN_SLOTS];
    ein_wire_update_status_t status = {
        .state = (uint8_t)ein_update_state(),
        .running = running < EIN_SLOTS ? (uint8_t)running : UINT8_MAX,
        .next = ein_update_next(),
        .load = slot < EIN_SLOTS ? ein_slots_port_address(slot) : 0,
        .capacity = EIN_IMAGE_MAX_BYTES,
    };
    for (unsigned i = 0; i < EIN_SLOTS; i++) {
        status.states[i] = (uint8_t)ein_slots_state(i, &images[i]);
    }
    status.version_0 = images[0].version;
    status.version_1 = images[1].version;
    ein_app_send(app, EIN_WIRE_UPDATE_STATUS, sequence,
                 ein_wire_put_update_status(ein_app_payload(app), &status));
}

static void answer(ein_app_t *app, uint8_t sequence, ein_update_status_t status)
{
    static const struct {
        uint8_t code;
        const char *text;
    } words[] = {
        [-EIN_UPDATE_ERR_NONE] = {EIN_WIRE_ERROR_NO_UPDATE, "no second slot, or nothing begun"},
        [-EIN_UPDATE_ERR_UNFIT] = {EIN_WIRE_ERROR_UNFIT_IMAGE, "not an image for this board"},
        [-EIN_UPDATE_ERR_OLDER] = {EIN_WIRE_ERROR_UNFIT_IMAGE, "older than what runs"},
        [-EIN_UPDATE_ERR_CONTENT] = {EIN_WIRE_ERROR_BAD_IMAGE, "not all of it has arrived right"},
        [-EIN_UPDATE_ERR_FLASH] = {EIN_WIRE_ERROR_BAD_IMAGE, "the flash does not keep it"},
    };
    if (status == EIN_UPDATE_OK) {
        send_status(app, sequence);
    } else {
        ein_app_send_error(app, sequence, words[-status].code, words[-status].text);
    }
}

static bool on_begin(ein_app_t *app, const ein_frame_t *frame)
{
    ein_wire_update_begin_t begin;
    if (!ein_wire_get_update_begin(&begin, frame->payload, frame->size)) {
        return false;
    }
    if (app->session.id != 0 && !app->session.finished) {
        ein_app_send_error(app, frame->sequence, EIN_WIRE_ERROR_NO_UPDATE,
                           "not while it records: finish first");
        return true;
    }
    ein_port_info_t port;
    ein_port_info(&port);
    answer(app, frame->sequence,
           ein_update_begin(begin.header, begin.header_size, begin.downgrade != 0, port.board));
    return true;
}

static bool on_piece(ein_app_t *app, const ein_frame_t *frame)
{
    ein_wire_update_piece_t piece;
    if (!ein_wire_get_update_piece(&piece, frame->payload, frame->size)) {
        return false;
    }
    answer(app, frame->sequence, ein_update_piece(piece.offset, piece.bytes, piece.bytes_size));
    return true;
}

static bool on_finish(ein_app_t *app, const ein_frame_t *frame)
{
    if (frame->size != EIN_WIRE_UPDATE_FINISH_SIZE) {
        return false;
    }
    answer(app, frame->sequence, ein_update_finish());
    return true;
}

static bool on_query(ein_app_t *app, const ein_frame_t *frame)
{
    ein_wire_update_query_t query;
    if (!ein_wire_get_update_query(&query, frame->payload, frame->size)) {
        return false;
    }
    if (query.confirm == 0) {
        send_status(app, frame->sequence);
    } else if (ein_device_keys_allow(app, frame->sequence)) {
        answer(app, frame->sequence, ein_update_confirm() ? EIN_UPDATE_OK : EIN_UPDATE_ERR_FLASH);
    }
    return true;
}

static bool handle(ein_app_t *app, const ein_frame_t *frame)
{
    switch (frame->type) {
    case EIN_WIRE_UPDATE_BEGIN:
        return on_begin(app, frame);
    case EIN_WIRE_UPDATE_PIECE:
        return on_piece(app, frame);
    case EIN_WIRE_UPDATE_FINISH:
        return on_finish(app, frame);
    default:
        return on_query(app, frame);
    }
}

ein_extension_answer_t ein_device_update_message(ein_app_t *app, const ein_frame_t *frame)
{
    if (frame->type < EIN_WIRE_UPDATE_BEGIN || frame->type > EIN_WIRE_UPDATE_QUERY) {
        return EIN_EXTENSION_PASS;
    }
    if (frame->type != EIN_WIRE_UPDATE_QUERY && !ein_device_keys_allow(app, frame->sequence)) {
        return EIN_EXTENSION_TAKEN;
    }
    return handle(app, frame) ? EIN_EXTENSION_TAKEN : EIN_EXTENSION_MALFORMED;
}

void ein_device_update_step(uint32_t now_ms)
{
    if (to_confirm && now_ms >= EIN_DEVICE_UPDATE_CONFIRM_MS) {
        to_confirm = false;
        (void)ein_update_confirm(); /* if the flash does not take it, the host may ask for it */
    }
}
