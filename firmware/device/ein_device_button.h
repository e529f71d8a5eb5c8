/* One button: debounced, short and long presses.
 *
 * A contact counts once it has rested for EIN_DEVICE_BUTTON_DEBOUNCE_MS. A long press is told when
 * it has lasted EIN_DEVICE_BUTTON_LONG_MS, a short one when the button is let go before that; a
 * button that is held while the device starts says nothing until it was let go. Times in ms, which
 * may wrap. RAM: 16 B. No errors.
 */
#ifndef EIN_DEVICE_BUTTON_H
#define EIN_DEVICE_BUTTON_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    EIN_DEVICE_PRESS_NONE = 0,
    EIN_DEVICE_PRESS_SHORT = 1,
    EIN_DEVICE_PRESS_LONG = 2,
} ein_device_press_t;

typedef struct {
    uint32_t changed_ms; /* when the raw contact last changed */
    uint32_t pressed_ms; /* when it was pressed, debounced */
    bool raw, pressed;
    bool told; /* of this press */
} ein_device_button_t;

void ein_device_button_init(ein_device_button_t *button, bool contact, uint32_t now_ms);

/* The contact as it is now; what has become known by it. */
ein_device_press_t ein_device_button_step(ein_device_button_t *button, bool contact,
                                          uint32_t now_ms);

#endif
