#include "ein_device_keys.h"

#include <string.h>

#include "ein_device_port.h"
#include "ein_keys.h"
#include "ein_port.h"

typedef char ein_check_states[(int)EIN_KEYS_NONE == (int)EIN_WIRE_KEY_STATE_NONE &&
                                      (int)EIN_KEYS_SET == (int)EIN_WIRE_KEY_STATE_SET &&
                                      (int)EIN_KEYS_LOST == (int)EIN_WIRE_KEY_STATE_LOST
                                  ? 1
                                  : -1];

void ein_device_keys_init(void)
{
    ein_port_info_t port;
    ein_port_info(&port);
    ein_keys_init(port.serial, strlen(port.serial), ein_device_port_ms());
}

static void refuse(ein_app_t *app, uint8_t sequence, ein_keys_status_t status)
{
    static const struct {
        uint8_t code;
        const char *text;
    } words[] = {
        [-EIN_KEYS_ERR_WAIT] = {EIN_WIRE_ERROR_WAIT, "too many wrong keys: wait"},
        [-EIN_KEYS_ERR_PROOF] = {EIN_WIRE_ERROR_WRONG_KEY, "wrong key"},
        [-EIN_KEYS_ERR_BEGIN] = {EIN_WIRE_ERROR_NO_CHALLENGE, "no challenge waits for this"},
        [-EIN_KEYS_ERR_CLOSED] = {EIN_WIRE_ERROR_LOCKED, "this needs the device's key"},
        [-EIN_KEYS_ERR_STORE] = {EIN_WIRE_ERROR_NO_KEYS, "the board does not keep a key"},
    };
    ein_app_send_error(app, sequence, words[-status].code, words[-status].text);
}

static bool on_begin(ein_app_t *app, const ein_frame_t *frame)
{
    ein_wire_auth_begin_t begin;
    if (!ein_wire_get_auth_begin(&begin, frame->payload, frame->size)) {
        return false;
    }
    ein_wire_auth_challenge_t challenge = {
        .state = (uint8_t)ein_keys_state(),
        .wait_ms = ein_keys_wait_ms(ein_device_port_ms()),
    };
    ein_keys_begin(begin.nonce, challenge.nonce);
    ein_app_send(app, EIN_WIRE_AUTH_CHALLENGE, frame->sequence,
                 ein_wire_put_auth_challenge(ein_app_payload(app), &challenge));
    return true;
}

static bool on_prove(ein_app_t *app, const ein_frame_t *frame)
{
    ein_wire_auth_prove_t prove;
    if (!ein_wire_get_auth_prove(&prove, frame->payload, frame->size)) {
        return false;
    }
    ein_wire_auth_proof_t own;
    const ein_keys_status_t status = ein_keys_prove(prove.proof, own.proof, ein_device_port_ms());
    if (status != EIN_KEYS_OK) {
        refuse(app, frame->sequence, status);
    } else {
        ein_app_send(app, EIN_WIRE_AUTH_PROOF, frame->sequence,
                     ein_wire_put_auth_proof(ein_app_payload(app), &own));
    }
    return true;
}

static bool on_set_key(ein_app_t *app, const ein_frame_t *frame)
{
    ein_wire_set_key_t set;
    if (!ein_wire_get_set_key(&set, frame->payload, frame->size)) {
        return false;
    }
    const ein_keys_status_t status = ein_keys_set(set.key, set.proof, ein_device_port_ms());
    if (status != EIN_KEYS_OK) {
        refuse(app, frame->sequence, status);
    } else {
        const ein_wire_key_reply_t reply = {.state = (uint8_t)ein_keys_state()};
        ein_app_send(app, EIN_WIRE_KEY_REPLY, frame->sequence,
                     ein_wire_put_key_reply(ein_app_payload(app), &reply));
    }
    return true;
}

static ein_extension_answer_t taken(bool well_formed)
{
    return well_formed ? EIN_EXTENSION_TAKEN : EIN_EXTENSION_MALFORMED;
}

ein_extension_answer_t ein_device_keys_message(ein_app_t *app, const ein_frame_t *frame)
{
    switch (frame->type) {
    case EIN_WIRE_AUTH_BEGIN:
        return taken(on_begin(app, frame));
    case EIN_WIRE_AUTH_PROVE:
        return taken(on_prove(app, frame));
    case EIN_WIRE_SET_KEY:
        return taken(on_set_key(app, frame));
    case EIN_WIRE_HEAD_PIECE: /* never answered: what is stored is */
        return ein_keys_is_open() ? EIN_EXTENSION_PASS : EIN_EXTENSION_TAKEN;
    case EIN_WIRE_HEAD_STORE:
    case EIN_WIRE_HEAD_REMOVE:
        return ein_device_keys_allow(app, frame->sequence) ? EIN_EXTENSION_PASS
                                                           : EIN_EXTENSION_TAKEN;
    case EIN_WIRE_HELLO: /* somebody new */
        ein_keys_close();
        return EIN_EXTENSION_PASS;
    default:
        return EIN_EXTENSION_PASS;
    }
}

bool ein_device_keys_allow(ein_app_t *app, uint8_t sequence)
{
    if (!ein_keys_is_open()) {
        refuse(app, sequence, EIN_KEYS_ERR_CLOSED);
        return false;
    }
    ein_keys_touch(ein_device_port_ms());
    return true;
}

void ein_device_keys_step(void)
{
    ein_keys_step(ein_device_port_ms());
}
