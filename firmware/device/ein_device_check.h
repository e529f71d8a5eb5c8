/* What a device does to itself when it is switched on, before anybody relies on it. */
#ifndef EIN_DEVICE_CHECK_H
#define EIN_DEVICE_CHECK_H

#include "ein_app_state.h"

/* Flash against the CRC-32 that the build put behind the image, and the model on its golden tensors
   (ein_golden.h). Takes app->bench for a tensor. Returns bits EIN_DEVICE_CHECK_*; 0: all is well.
   About 10 ms on a Cortex-M4 at 168 MHz. */
uint8_t ein_device_check(ein_app_t *app);

#endif
