/* The key's messages, and the lock that they open: a patient's head is not read, replaced or
 * removed without the key. Replay, bench, info and hello need none. */
#ifndef EIN_DEVICE_KEYS_H
#define EIN_DEVICE_KEYS_H

#include "ein_app_extension.h"

/* Once, when the device's port is ready. The device's identity is the port's serial number. */
void ein_device_keys_init(void);

/* Takes what belongs to the key, and what needs it while it is closed. */
ein_extension_answer_t ein_device_keys_message(ein_app_t *app, const ein_frame_t *frame);

/* For a handler of what needs the key: true if it may go on; else the host has been told. */
bool ein_device_keys_allow(ein_app_t *app, uint8_t sequence);

/* Once a turn. */
void ein_device_keys_step(void);

#endif
