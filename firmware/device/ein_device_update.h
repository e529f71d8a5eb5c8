/* Firmware over the wire: the messages of ein_update.h. Erases the slot that does not run, while
 * which (up to 2 s) nothing else happens; refused while a session is open, so that no sample of a
 * recording is lost. */
#ifndef EIN_DEVICE_UPDATE_H
#define EIN_DEVICE_UPDATE_H

#include "ein_app_extension.h"

/* What has run for so long without a reset works, and stays. */
#define EIN_DEVICE_UPDATE_CONFIRM_MS 20000u

/* Once. `healthy`: the check of flash and engine has passed, or this firmware does not stay. */
void ein_device_update_init(bool healthy);

ein_extension_answer_t ein_device_update_message(ein_app_t *app, const ein_frame_t *frame);

/* Confirms what runs, once: every few milliseconds. */
void ein_device_update_step(uint32_t now_ms);

#endif
