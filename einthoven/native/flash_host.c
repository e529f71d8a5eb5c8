#include "flash_host.h"

#include <stdlib.h>
#include <string.h>

static struct {
    int32_t left;
    uint32_t operations, random;
    bool off;
    const uint8_t *weak; /* the word that was cut */
    uint8_t weak_bits[4];
} flash = {.left = -1};

static uint8_t random_byte(void)
{
    flash.random = flash.random * 1664525u + 1013904223u; /* Numerical Recipes */
    return (uint8_t)(flash.random >> 24);
}

void ein_host_flash_power(int32_t left, uint32_t seed)
{
    flash.left = left;
    flash.random = seed;
    flash.operations = 0;
    flash.off = false;
}

uint32_t ein_host_flash_operations(void)
{
    return flash.operations;
}

bool ein_host_flash_is_off(void)
{
    return flash.off;
}

/* Counts an operation; false: it is the one that breaks off. */
static bool goes_through(void)
{
    flash.operations++;
    if (flash.left == 0) {
        flash.off = true;
        return false;
    }
    flash.left -= flash.left > 0;
    return true;
}

bool ein_host_flash_erase(uint8_t *at, size_t n)
{
    if (flash.off) {
        return false;
    }
    const bool whole = goes_through();
    for (size_t i = 0; i < n; i++) {
        at[i] = (uint8_t)(at[i] | (whole ? 0xFF : random_byte() | random_byte()));
    }
    if (flash.weak >= at && flash.weak < at + n) {
        flash.weak = NULL;
    }
    return whole;
}

static bool write_word(uint8_t *at, const uint8_t bytes[4])
{
    static const uint8_t erased[4] = {0xFF, 0xFF, 0xFF, 0xFF};
    if (memcmp(at, erased, 4) != 0 && memcmp(at, bytes, 4) != 0 && at != flash.weak) {
        abort(); /* written twice */
    }
    const bool whole = goes_through();
    if (whole && at == flash.weak) {
        flash.weak = NULL; /* the same bits once more make them firm */
    }
    for (unsigned i = 0; i < 4; i++) {
        const uint8_t now = at[i] & bytes[i];
        const uint8_t half = whole ? 0xFF : random_byte();
        if (!whole) {
            flash.weak = at;
            flash.weak_bits[i] = (uint8_t)((at[i] ^ now) & random_byte());
        }
        at[i] = (uint8_t)((at[i] & (uint8_t)~half) | (now & half));
    }
    return whole;
}

bool ein_host_flash_write(uint8_t *at, const void *bytes, size_t n)
{
    if (n % 4 != 0) {
        abort();
    }
    for (size_t i = 0; i < n; i += 4) {
        if (flash.off || !write_word(at + i, (const uint8_t *)bytes + i)) {
            return false;
        }
    }
    return true;
}

bool ein_host_flash_read(const uint8_t *at, void *bytes, size_t n)
{
    memcpy(bytes, at, n);
    for (size_t i = 0; flash.weak != NULL && i < 4; i++) {
        if (flash.weak + i >= at && flash.weak + i < at + n) {
            uint8_t *seen = (uint8_t *)bytes + (flash.weak + i - at);
            *seen = (uint8_t)(*seen ^ (flash.weak_bits[i] & random_byte()));
        }
    }
    return !flash.off;
}
