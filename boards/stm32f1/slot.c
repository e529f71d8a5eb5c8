/* The slot is the last pages of the flash, behind what the linker script gives an image. */
#include <string.h>

#include "ein_port.h"
#include "flash.h"

extern uint8_t _slot[]; /* by the linker script */

typedef char ein_check_pages[EIN_SLOT_BYTES % EIN_FLASH_PAGE_BYTES == 0 ? 1 : -1];

#define IN_FLASH ((uint32_t)(uintptr_t)_slot)

bool ein_port_slot_read(uint32_t offset, void *bytes, size_t n)
{
    memcpy(bytes, _slot + offset, n);
    return true;
}

bool ein_port_slot_erase(void)
{
    bool good = true;
    for (uint32_t at = 0; good && at < EIN_SLOT_BYTES; at += EIN_FLASH_PAGE_BYTES) {
        good = ein_flash_erase(IN_FLASH + at);
    }
    return good;
}

bool ein_port_slot_write(uint32_t offset, const void *bytes, size_t n)
{
    return ein_flash_write(IN_FLASH + offset, bytes, n);
}
