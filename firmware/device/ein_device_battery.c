#include "ein_device_battery.h"

#include "ein_device_spec.h"

#define UNKNOWN_PERCENT 255u

void ein_device_battery_init(ein_device_battery_t *battery)
{
    *battery = (ein_device_battery_t){0};
}

static bool is_below(bool was, uint8_t *count, uint16_t mv, uint16_t limit_mv)
{
    if (mv >= limit_mv) {
        *count = 0;
        return was && mv < limit_mv + EIN_DEVICE_BATTERY_BACK_MV;
    }
    if (*count < EIN_DEVICE_BATTERY_READINGS) {
        (*count)++;
    }
    return was || *count == EIN_DEVICE_BATTERY_READINGS;
}

bool ein_device_battery_read(ein_device_battery_t *battery, uint16_t mv)
{
    if (mv == 0) {
        return false;
    }
    battery->mv = mv;
    const bool low = is_below(battery->low, &battery->below_low, mv, EIN_DEVICE_BATTERY_LOW_MV);
    const bool empty =
        is_below(battery->empty, &battery->below_empty, mv, EIN_DEVICE_BATTERY_EMPTY_MV);
    const bool changed = low != battery->low || empty != battery->empty;
    battery->low = low;
    battery->empty = empty;
    return changed;
}

uint8_t ein_device_battery_percent(const ein_device_battery_t *battery)
{
    const uint32_t range_mv = EIN_DEVICE_BATTERY_FULL_MV - EIN_DEVICE_BATTERY_EMPTY_MV;
    if (battery->mv == 0) {
        return UNKNOWN_PERCENT;
    }
    if (battery->mv <= EIN_DEVICE_BATTERY_EMPTY_MV) {
        return 0;
    }
    const uint32_t above_mv = battery->mv - EIN_DEVICE_BATTERY_EMPTY_MV;
    return (uint8_t)(above_mv >= range_mv ? 100u : 100u * above_mv / range_mv);
}
