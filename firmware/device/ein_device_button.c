#include "ein_device_button.h"

#include "ein_device_spec.h"

void ein_device_button_init(ein_device_button_t *button, bool contact, uint32_t now_ms)
{
    *button = (ein_device_button_t){
        .changed_ms = now_ms,
        .pressed_ms = now_ms,
        .raw = contact,
        .pressed = contact,
        .told = true,
    };
}

ein_device_press_t ein_device_button_step(ein_device_button_t *button, bool contact,
                                          uint32_t now_ms)
{
    if (contact != button->raw) {
        button->raw = contact;
        button->changed_ms = now_ms;
    }
    if (button->raw != button->pressed &&
        now_ms - button->changed_ms >= EIN_DEVICE_BUTTON_DEBOUNCE_MS) {
        button->pressed = button->raw;
        if (button->pressed) {
            button->pressed_ms = button->changed_ms;
            button->told = false;
        } else if (!button->told) {
            button->told = true;
            return EIN_DEVICE_PRESS_SHORT;
        }
    }
    if (button->pressed && !button->told &&
        now_ms - button->pressed_ms >= EIN_DEVICE_BUTTON_LONG_MS) {
        button->told = true;
        return EIN_DEVICE_PRESS_LONG;
    }
    return EIN_DEVICE_PRESS_NONE;
}
