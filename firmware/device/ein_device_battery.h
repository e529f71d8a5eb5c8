/* The cell: low and empty, with hysteresis, from readings of its voltage.
 *
 * A limit counts when EIN_DEVICE_BATTERY_READINGS readings in a row are below it, and is left
 * EIN_DEVICE_BATTERY_BACK_MV above it. 0 mV is no reading. RAM: 8 B. No errors.
 */
#ifndef EIN_DEVICE_BATTERY_H
#define EIN_DEVICE_BATTERY_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint16_t mv; /* last reading; 0: none yet */
    uint8_t below_low, below_empty;
    bool low, empty;
} ein_device_battery_t;

void ein_device_battery_init(ein_device_battery_t *battery);

/* A reading. True if `low` or `empty` has changed. */
bool ein_device_battery_read(ein_device_battery_t *battery, uint16_t mv);

/* What is left, linear between empty and full, in %; 255: unknown. */
uint8_t ein_device_battery_percent(const ein_device_battery_t *battery);

#endif
