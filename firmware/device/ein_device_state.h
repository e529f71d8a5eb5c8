/* What the parts of the device on top of the application share. Private to firmware/device. */
#ifndef EIN_DEVICE_STATE_H
#define EIN_DEVICE_STATE_H

#include "ein_app_extension.h"
#include "ein_device.h"
#include "ein_device_check.h"
#include "ein_diary_clock.h"
#include "ein_diary_strip.h"

#define EIN_DEVICE_VERDICT_NEVER 0xFFu

typedef struct {
    ein_device_t modes;
    ein_diary_clock_t clock;
    ein_diary_t diary;
    ein_diary_strip_t strip; /* of the diary */
    ein_device_front_end_check_t front_end_check;
    uint32_t battery_ms; /* when it was last measured */
    uint32_t host_ms;    /* when it last said something */
    bool host;           /* somebody listens */
    uint8_t logged_mode; /* the last one that the log knows */
    bool logged_contact;
    uint32_t contact_ms; /* when it was lost */
    /* The recording, ein_device_record.c. */
    uint16_t gain_lsb_per_mv;
    int16_t rail_lo, rail_hi;
    bool started; /* the front end has been, and goes on */
    bool listening, recording;
    uint16_t off_run;   /* samples at a rail in a row, saturating */
    uint32_t sample_ms; /* when the last one came */
    uint32_t recordings, samples, samples_lost, front_end_restarts;
    uint8_t verdict; /* of the last strip; EIN_DEVICE_VERDICT_NEVER */
} ein_device_state_t;

/* ein_device_record.c: what the front end has goes through the session while the device records.
   True if a sample was taken. */
bool ein_device_record_step(ein_device_state_t *device, ein_app_t *app);

/* ein_device_wire.c: a message, before the application sees it (ein_app_extension.h). */
ein_extension_answer_t ein_device_wire_message(ein_device_state_t *device, ein_app_t *app,
                                               const ein_frame_t *frame);

#endif
