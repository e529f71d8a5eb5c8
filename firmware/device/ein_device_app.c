/* The device on top of the application: what ein_app_extension.h asks for. */
#include "ein_app_extension.h"
#include "ein_device_button.h"
#include "ein_device_keys.h"
#include "ein_device_pattern.h"
#include "ein_device_port.h"

static struct {
    ein_device_patterns_t patterns;
    ein_device_button_t button;
} device;

void ein_extension_init(ein_app_t *app)
{
    (void)app;
    ein_device_port_init();
    ein_device_keys_init();
    ein_device_pattern_init(&device.patterns);
    ein_device_button_init(&device.button, ein_device_port_button(), ein_device_port_ms());
    ein_device_pattern_hold(&device.patterns, EIN_DEVICE_PATTERN_READY, true);
}

ein_extension_answer_t ein_extension_message(ein_app_t *app, const ein_frame_t *frame)
{
    return ein_device_keys_message(app, frame);
}

void ein_extension_event(ein_app_t *app, const ein_outbox_event_t *event)
{
    (void)app;
    if (event->type == EIN_WIRE_BEAT) {
        ein_device_pattern_once(&device.patterns, EIN_DEVICE_PATTERN_BEAT);
    }
}

bool ein_extension_step(ein_app_t *app)
{
    (void)app;
    ein_device_keys_step();
    if (ein_device_pattern_step(&device.patterns, ein_device_port_ms())) {
        ein_device_port_show(device.patterns.led, ein_device_pattern_tone_hz(device.patterns.tone));
    }
    return false;
}
