/* What a board provides beside ein_port.h to be a device of its own: button, light, sound, battery,
 * a clock, and a display if it has one. boards/host_device/device_port.c is a short one to start
 * from.
 *
 * Called from the main loop only; nothing waits longer than said. There is no function to sleep:
 * ein_port_poll(true) sleeps until a byte, a sample or 10 ms, whichever is first.
 */
#ifndef EIN_DEVICE_PORT_H
#define EIN_DEVICE_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ein_front_end.h"

/* Once, after ein_port_init(). */
void ein_device_port_init(void);

/* Milliseconds since the start; wraps after 49 days. */
uint32_t ein_device_port_ms(void);

/* Whether the button's contact is closed now, bouncing as it may. */
bool ein_device_port_button(void);

/* LED on or off; a tone in Hz, 0: silence. Called when either changes. */
void ein_device_port_show(bool led, uint16_t tone_hz);

/* Of the cell, in mV; 0: the board cannot know. At most 1 ms. */
uint16_t ein_device_port_battery_mv(void);

/* The image as it lies in flash, without the CRC-32 that the build keeps behind it, which goes to
 *crc. NULL: what runs is no image in flash. */
const uint8_t *ein_device_port_image(uint32_t *bytes, uint32_t *crc);

/* What gives ein_port_adc its samples, stopped until that is first called; NULL: no driver of
   firmware/front_ends does. */
ein_front_end_t *ein_device_port_front_end(void);

/* Writes n bytes to a part on the I2C bus; false if it does not acknowledge, or there is no bus. At
   most 100 us a byte. */
bool ein_device_port_i2c(uint8_t address, const uint8_t *bytes, size_t n);

#endif
