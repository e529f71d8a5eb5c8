#include "ein_ram_test.h"

#ifdef EIN_MEMORY

#include <stdbool.h>

#include "ein_memory_port.h"
#include "ein_port.h"

/* A test of the test puts bad memory behind these. */
#ifndef EIN_RAM_READ
#define EIN_RAM_READ(word) (*(word))
#define EIN_RAM_WRITE(word, value) (*(word) = (value))
#endif

#define WORDS 8u
#define ELEMENTS 6u /* w0; r0 w1; r1 w0; and downwards r0 w1; r1 w0; r0 */
#define DOWNWARDS 3u
#define CHEQUERED 0x55555555u
#define NEAR_BYTES 512u /* of a frame's address: the frames of this file, and what they call */

/* Each element finds the background or its inverse, and leaves the inverse of what it found. */
static volatile uint32_t *march(volatile uint32_t *block, uint32_t background)
{
    for (uint32_t number = 0; number < ELEMENTS; number++) {
        background = ~background;
        for (uint32_t i = 0; i < WORDS; i++) {
            volatile uint32_t *word = block + (number < DOWNWARDS ? i : WORDS - 1u - i);
            if (number > 0 && EIN_RAM_READ(word) != background) {
                return word;
            }
            EIN_RAM_WRITE(word, ~background);
        }
    }
    return NULL;
}

static bool is_near(volatile uint32_t *word, uintptr_t frame)
{
    return (uintptr_t)word - frame + NEAR_BYTES < 2u * NEAR_BYTES;
}

static volatile uint32_t *try_block(volatile uint32_t *block)
{
    uint32_t kept[WORDS];
    if (is_near(block, (uintptr_t)kept)) {
        return NULL;
    }
    ein_memory_port_mask(1);
    for (uint32_t i = 0; i < WORDS; i++) {
        kept[i] = EIN_RAM_READ(block + i);
    }
    volatile uint32_t *bad = march(block, 0);
    if (bad == NULL) {
        bad = march(block, CHEQUERED);
    }
    for (uint32_t i = 0; i < WORDS; i++) {
        EIN_RAM_WRITE(block + i, kept[i]);
    }
    ein_memory_port_mask(0);
    return bad;
}

/* Whether a word keeps what it holds while the one that an address line sets apart changes. */
static volatile uint32_t *try_line(volatile uint32_t *ram, volatile uint32_t *other)
{
    volatile uint32_t *bad = NULL;
    if (is_near(ram, (uintptr_t)&bad) || is_near(other, (uintptr_t)&bad)) {
        return NULL;
    }
    ein_memory_port_mask(1);
    const uint32_t here = EIN_RAM_READ(ram), there = EIN_RAM_READ(other);
    EIN_RAM_WRITE(ram, CHEQUERED);
    EIN_RAM_WRITE(other, ~CHEQUERED);
    if (EIN_RAM_READ(ram) != CHEQUERED) {
        bad = other;
    }
    EIN_RAM_WRITE(other, there);
    EIN_RAM_WRITE(ram, here);
    ein_memory_port_mask(0);
    return bad;
}

volatile uint32_t *ein_ram_test(volatile uint32_t *ram, size_t n)
{
    volatile uint32_t *bad = NULL;
    for (size_t line = 1; line < n && bad == NULL; line *= 2u) {
        bad = try_line(ram, ram + line);
    }
    for (size_t at = 0; at + WORDS <= n && bad == NULL; at += WORDS) {
        bad = try_block(ram + at);
        ein_port_poll(false);
    }
    return bad;
}
#endif
