/* firmware/device/ein_device_port.h for a process: button and battery by a script, light and tone
 * to a file.
 *
 * --script FILE has lines `MS press MS` and `MS battery MV`, in the order of their time; without
 * one the button is open and there is no battery. --panel FILE gets a line `MS LED HZ` for every
 * change. The image is the program's own file: nothing that could be compared, so there is none.
 */
#define _GNU_SOURCE
#include "ein_device_port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "front_end.h"
#include "host.h"

#define NS_PER_MS 1000000u

static FILE *script, *panel;
static uint64_t start_ns;
static uint32_t next_ms, next_value, release_ms;
static char next_what[16];
static bool has_next, pressed;
static uint16_t battery_mv;

static void read_line(void)
{
    has_next =
        script != NULL && fscanf(script, "%u %15s %u", &next_ms, next_what, &next_value) == 3;
}

void ein_device_port_init(void)
{
    start_ns = ein_host_now_ns();
    battery_mv = ein_host.battery_mv;
    ein_host_front_end_init();
    if (ein_host.script != NULL && (script = fopen(ein_host.script, "r")) == NULL) {
        ein_host_die(ein_host.script);
    }
    if (ein_host.panel != NULL && (panel = fopen(ein_host.panel, "a")) == NULL) {
        ein_host_die(ein_host.panel);
    }
    read_line();
}

uint32_t ein_device_port_ms(void)
{
    return (uint32_t)((ein_host_now_ns() - start_ns) / NS_PER_MS);
}

/* What the script says has happened until now. */
static void follow_script(void)
{
    const uint32_t now_ms = ein_device_port_ms();
    while (has_next && next_ms <= now_ms) {
        if (strcmp(next_what, "press") == 0) {
            pressed = true;
            release_ms = now_ms + next_value;
        } else if (strcmp(next_what, "battery") == 0) {
            battery_mv = (uint16_t)next_value;
        } else if (strcmp(next_what, "stall") == 0) {
            ein_host_pass_ns((uint64_t)next_value * NS_PER_MS);
        } else if (strcmp(next_what, "end") == 0) {
            exit((int)next_value);
        }
        read_line();
    }
    if (pressed && now_ms >= release_ms) {
        pressed = false;
    }
}

bool ein_device_port_button(void)
{
    follow_script();
    return pressed;
}

void ein_device_port_show(bool led, uint16_t tone_hz)
{
    if (panel != NULL) {
        fprintf(panel, "%u %d %u\n", ein_device_port_ms(), led, tone_hz);
        fflush(panel);
    }
}

uint16_t ein_device_port_battery_mv(void)
{
    follow_script();
    return battery_mv;
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
