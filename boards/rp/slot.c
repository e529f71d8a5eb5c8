/* The slot: two sectors of the flash, or RAM where nothing can write that (flash.h). */
#include <string.h>

#include "ein_port.h"
#include "flash.h"
#include "watchdog.h"

#define FLASH_START 0x10000000u
#define SLOT_SECTORS 2u

extern uint8_t _slot[], _slot_stand_in[]; /* by the linker script */

static uint32_t in_flash(uint32_t offset)
{
    return (uint32_t)((uintptr_t)_slot - FLASH_START) + offset;
}

bool ein_port_slot_read(uint32_t offset, void *bytes, size_t n)
{
    memcpy(bytes, (ein_flash_is_silicon() ? _slot : _slot_stand_in) + offset, n);
    return true;
}

bool ein_port_slot_erase(void)
{
    ein_watchdog_feed();
    if (ein_flash_is_silicon()) {
        ein_flash_erase(in_flash(0), SLOT_SECTORS * EIN_FLASH_SECTOR_BYTES);
    } else {
        memset(_slot_stand_in, 0xFF, EIN_SLOT_BYTES);
    }
    return true;
}

/* A page at a time; ones around what is written leave the rest of the page as it is. */
bool ein_port_slot_write(uint32_t offset, const void *bytes, size_t n)
{
    const uint8_t *from = bytes;
    if (!ein_flash_is_silicon()) {
        memcpy(_slot_stand_in + offset, bytes, n);
        return true;
    }
    while (n > 0) {
        uint8_t page[EIN_FLASH_PAGE_BYTES];
        const uint32_t within = offset % EIN_FLASH_PAGE_BYTES;
        const size_t room = EIN_FLASH_PAGE_BYTES - within;
        const size_t some = n < room ? n : room;
        memset(page, 0xFF, sizeof page);
        memcpy(page + within, from, some);
        ein_flash_program(in_flash(offset - within), page);
        offset += (uint32_t)some;
        from += some;
        n -= some;
    }
    return true;
}
