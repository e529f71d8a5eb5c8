#include "ein_device_display.h"

#include <stdbool.h>
#include <string.h>

#include "ein_device_font.h"
#include "ein_device_port.h"

#define HALVES (2u * EIN_DEVICE_DISPLAY_CHARACTERS)
#define FIRST_PAGE 3u /* of 8 rows of pixels each; the text takes two */
#define AGAIN_STEPS 200u
#define COMMANDS 0x00u /* control byte: what follows are commands, or data */
#define DATA 0x40u

/* Off; 64 rows; no offset; columns and rows as modules have them; charge pump; pages that wrap by
   columns; contrast; on. What is not named stands as after the reset. */
static const uint8_t setup[] = {
    COMMANDS, 0xAE, 0xA8, 0x3F, 0xD3, 0x00, 0x40, 0xA1, 0xC8, 0xDA,
    0x12,     0x81, 0x7F, 0xA4, 0xA6, 0x8D, 0x14, 0x20, 0x00, 0xAF,
};

void ein_device_display_init(ein_device_display_t *display)
{
    memset(display, 0, sizeof(*display));
    memset(display->text, ' ', sizeof(display->text));
}

static void take_text(ein_device_display_t *display, const char *text)
{
    char wanted[EIN_DEVICE_DISPLAY_CHARACTERS];
    uint32_t n = 0;
    for (; n < sizeof(wanted) && text[n] != '\0'; n++) {
        wanted[n] = text[n];
    }
    if (n == 0) {
        return;
    }
    memset(wanted + n, ' ', sizeof(wanted) - n);
    if (memcmp(wanted, display->text, sizeof(wanted)) != 0) {
        memcpy(display->text, wanted, sizeof(wanted));
        display->at = display->at > 0 ? 1u : 0u; /* once it is set up */
    }
}

static bool send(const uint8_t *bytes, size_t n)
{
    return ein_device_port_i2c(EIN_DEVICE_DISPLAY_ADDRESS, bytes, n);
}

/* Each row twice: four bits of a glyph's column become a byte. */
static uint8_t doubled(uint32_t bits)
{
    uint32_t out = 0;
    for (uint32_t i = 0; i < 4u; i++) {
        out |= (bits >> i & 1u) * 3u << (2u * i);
    }
    return (uint8_t)out;
}

static bool send_half(const ein_device_display_t *display, uint32_t half)
{
    const uint32_t place = half / 2u, lower = half % 2u;
    const uint8_t column = (uint8_t)(8u * place), page = (uint8_t)(FIRST_PAGE + lower);
    const uint8_t window[] = {COMMANDS, 0x21, column, (uint8_t)(column + 7u), 0x22, page, page};
    uint8_t data[9] = {DATA};
    const uint8_t c = (uint8_t)display->text[place];
    if (c > EIN_DEVICE_FONT_FIRST && c < EIN_DEVICE_FONT_FIRST + EIN_DEVICE_FONT_GLYPHS) {
        const uint8_t *glyph = ein_device_font[c - EIN_DEVICE_FONT_FIRST];
        for (uint32_t i = 0; i < EIN_DEVICE_FONT_COLUMNS; i++) {
            data[2u + i] = doubled((uint32_t)glyph[i] >> (4u * lower));
        }
    }
    return send(window, sizeof(window)) && send(data, sizeof(data));
}

/* All pages blank: the display's memory is random after power on. A page with each step. */
static bool send_blank(uint32_t page)
{
    const uint8_t window[] = {COMMANDS, 0x21, 0, 127, 0x22, (uint8_t)page, (uint8_t)page};
    static const uint8_t blank[17] = {DATA};
    bool good = send(window, sizeof(window));
    for (uint32_t i = 0; good && i < 128u; i += sizeof(blank) - 1u) {
        good = send(blank, sizeof(blank));
    }
    return good;
}

void ein_device_display_step(ein_device_display_t *display, const char *text)
{
    take_text(display, text);
    if (display->waits > 0) {
        display->waits--;
        return;
    }
    if (display->at > HALVES) {
        return;
    }
    bool good = true;
    if (display->at == 0) {
        good = send(setup, sizeof(setup));
        for (uint32_t page = 0; good && page < 8u; page++) {
            good = send_blank(page);
        }
    } else {
        good = send_half(display, display->at - 1u);
    }
    display->at = good ? (uint8_t)(display->at + 1u) : 0u;
    display->waits = good ? 0u : (uint8_t)AGAIN_STEPS;
}
