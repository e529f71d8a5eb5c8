/* The text of the pattern that is shown, on an OLED of 128 x 64 with an SSD1306, an option: only in
 * builds with EIN_DEVICE_DISPLAY.
 *
 *     ein_device_display_init(&display);
 *     every few milliseconds:  ein_device_display_step(&display, text);
 *
 * 16 characters of 8 x 16 pixels in the middle. Each step sends one character's half, 18 bytes over
 * I2C with the addresses (1.6 ms at 100 kHz), so that nothing waits for long; a new text takes 32
 * steps. The first step sets up and blanks, which takes 0.1 s. A display that does not answer is
 * tried again after 200 steps, set up anew, and holds nothing up.
 * SSD1306 (Solomon Systech, rev. 1.1): 8.1.5.2 control byte, table 9-1 commands, 8.5 reset. I2C
 * address 0x3C. RAM: 24 B. No errors.
 */
#ifndef EIN_DEVICE_DISPLAY_H
#define EIN_DEVICE_DISPLAY_H

#include <stdint.h>

#define EIN_DEVICE_DISPLAY_ADDRESS 0x3Cu
#define EIN_DEVICE_DISPLAY_CHARACTERS 16u

typedef struct {
    uint8_t waits; /* steps until it is tried again */
    uint8_t at;    /* what is sent next: 0 sets up, then halves of characters; past them: nothing */
    char text[EIN_DEVICE_DISPLAY_CHARACTERS]; /* that is being shown, filled up with spaces */
} ein_device_display_t;

/* Nothing is known of the display. */
void ein_device_display_init(ein_device_display_t *display);

/* text: printable ASCII, at most 16 characters; "" leaves the one before. */
void ein_device_display_step(ein_device_display_t *display, const char *text);

#endif
