/* firmware/device/ein_device_port.h for a process: no LED, no button. */
#define _GNU_SOURCE
#include "ein_device_port.h"

#include <time.h>

static uint32_t start_ms;

static uint32_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint32_t)((uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u);
}

void ein_device_port_init(void)
{
    start_ms = now_ms();
}

uint32_t ein_device_port_ms(void)
{
    return now_ms() - start_ms;
}

bool ein_device_port_button(void)
{
    return false;
}

void ein_device_port_show(bool led, uint16_t tone_hz)
{
    (void)led;
    (void)tone_hz;
}

uint16_t ein_device_port_battery_mv(void)
{
    return 0;
}

const uint8_t *ein_device_port_image(uint32_t *bytes, uint32_t *crc)
{
    (void)bytes;
    (void)crc;
    return NULL;
}

bool ein_device_port_i2c(uint8_t address, const uint8_t *bytes, size_t n)
{
    (void)address;
    (void)bytes;
    (void)n;
    return false;
}
