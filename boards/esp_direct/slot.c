/* The slot: two sectors of the flash, behind what the linker script gives an image. */
#include <string.h>

#include "ein_port.h"
#include "flash.h"
#include "watchdog.h"

#define SLOT_SECTORS 2u

extern const uint8_t _slot[], _image_start[]; /* by the linker script, as data */

typedef char ein_check_slot[SLOT_SECTORS * EIN_FLASH_SECTOR_BYTES >= EIN_SLOT_BYTES ? 1 : -1];

static uint32_t in_flash(uint32_t offset)
{
    return (uint32_t)((uintptr_t)_slot - (uintptr_t)_image_start) + offset;
}

bool ein_port_slot_read(uint32_t offset, void *bytes, size_t n)
{
    memcpy(bytes, _slot + offset, n);
    return true;
}

bool ein_port_slot_erase(void)
{
    bool good = true;
    for (uint32_t i = 0; good && i < SLOT_SECTORS; i++) {
        ein_watchdog_feed();
        good = ein_flash_erase(in_flash(i * EIN_FLASH_SECTOR_BYTES));
    }
    return good;
}

bool ein_port_slot_write(uint32_t offset, const void *bytes, size_t n)
{
    ein_watchdog_feed();
    return ein_flash_write(in_flash(offset), bytes, n);
}
