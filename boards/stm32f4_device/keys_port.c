/* firmware/keys/ein_keys_port.h for the STM32F4 boards: two sectors of 16 KB, and the random number
 * generator of those that have one (F405; RM0090 chapter 24). Not run on silicon yet: in QEMU the
 * pages are RAM beyond the chip's, and nothing is random but the count of instructions at which a
 * message came.
 */
#include "ein_keys_port.h"

#include <string.h>

#include "board.h"
#include "count.h"
#include "flash.h"
#include "flash_map.h"
#include "stm32f4.h"

#ifndef EIN_BOARD_RNG
#define EIN_BOARD_RNG 0
#endif

#define RNG_WORDS 8u
/* 40 cycles of a 48 MHz clock a word: 140 of the core's at 168 MHz. */
#define WAIT_POLLS 1000u

extern uint8_t _image_start[]; /* by the linker script */

static uint8_t *emulated(unsigned page)
{
    return (uint8_t *)(EIN_EMULATED_KEYS + page * EIN_KEYS_PAGE_BYTES);
}

static uint32_t in_flash(unsigned page)
{
    return ein_flash_address(EIN_FLASH_SECTOR_KEYS + page);
}

/* Without a boot stage the image itself lies there. */
static bool has_pages(void)
{
    return (uintptr_t)_image_start >= in_flash(EIN_KEYS_PAGES);
}

bool ein_keys_port_read(unsigned page, uint32_t offset, void *bytes, size_t n)
{
    if (!ein_count_is_silicon()) {
        memcpy(bytes, emulated(page) + offset, n);
        return true;
    }
    if (!has_pages()) {
        return false;
    }
    memcpy(bytes, (const void *)(uintptr_t)(in_flash(page) + offset), n);
    return true;
}

bool ein_keys_port_erase(unsigned page)
{
    if (!ein_count_is_silicon()) {
        memset(emulated(page), 0xFF, EIN_KEYS_PAGE_BYTES);
        return true;
    }
    return has_pages() && ein_flash_erase(EIN_FLASH_SECTOR_KEYS + page);
}

bool ein_keys_port_write(unsigned page, uint32_t offset, const void *bytes, size_t n)
{
    if (!ein_count_is_silicon()) {
        memcpy(emulated(page) + offset, bytes, n);
        return true;
    }
    return has_pages() && ein_flash_write(in_flash(page) + offset, bytes, n);
}

static bool next_random(uint32_t *word)
{
    for (uint32_t i = 0; i < WAIT_POLLS; i++) {
        const uint32_t status = RNG->SR;
        if ((status & (RNG_SR_CECS | RNG_SR_SECS)) != 0) {
            return false; /* no clock, or a seed that the noise does not change */
        }
        if ((status & RNG_SR_DRDY) != 0) {
            *word = RNG->DR;
            return true;
        }
    }
    return false;
}

/* RM0090 24.3.1: the first number is not used, and none may equal the one before. */
static size_t random_words(uint8_t bytes[32])
{
    rcc_enable(&RCC->AHB2ENR, RCC_AHB2ENR_RNG);
    RNG->CR = RNG_CR_RNGEN;
    uint32_t before, word;
    bool good = next_random(&before);
    for (unsigned i = 0; good && i < RNG_WORDS; i++) {
        good = next_random(&word) && word != before;
        memcpy(bytes + 4 * i, &word, sizeof(word));
        before = word;
    }
    RNG->CR = 0;
    return good ? 4 * RNG_WORDS : 0;
}

size_t ein_keys_port_entropy(uint8_t bytes[32])
{
    if (EIN_BOARD_RNG != 0 && ein_count_is_silicon()) {
        const size_t n = random_words(bytes);
        if (n > 0) {
            return n;
        }
    }
    const uint32_t count = ein_count_read();
    memcpy(bytes, &count, sizeof(count));
    return sizeof(count);
}
