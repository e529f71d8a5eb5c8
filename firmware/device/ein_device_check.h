/* What a device does to itself when it is switched on, before anybody relies on it. */
#ifndef EIN_DEVICE_CHECK_H
#define EIN_DEVICE_CHECK_H

#include "ein_app_state.h"
#include "ein_self_test.h"

/* Flash against the CRC-32 that the build put behind the image, and the model on its golden tensors
   (ein_golden.h). Takes app->bench for a tensor. Returns bits EIN_DEVICE_CHECK_*; 0: all is well.
   About 10 ms on a Cortex-M4 at 168 MHz. */
uint8_t ein_device_check(ein_app_t *app);

/* Then the front end, which takes 4 s if it can test itself, and nothing if not. RAM: 72 B. */
typedef struct {
    ein_self_test_t test;
    ein_front_end_t *front_end; /* NULL: there is none, or nothing is left to do */
} ein_device_front_end_check_t;

void ein_device_front_end_check_begin(ein_device_front_end_check_t *check);

/* Once a turn. True when it is done, and *faults has EIN_DEVICE_CHECK_FRONT_END, or 0. */
bool ein_device_front_end_check_step(ein_device_front_end_check_t *check, uint8_t *faults);

#endif
