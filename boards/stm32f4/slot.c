/* The last sector of the flash, behind what the linker script gives an image: 7 of F411xE and F446,
   11 of F405xG. Of an image above a boot stage sector 3, 16 KB, so that the log has the large ones.

   Where flash cannot be written (flash.h), the slot is RAM at 0x20020000, where the chip itself has
   none: it survives a reset, and no end of the emulator. */
#include "slot.h"

#include <string.h>

#include "ein_port.h"
#include "flash.h"
#include "stm32f4.h"

extern uint8_t _slot[]; /* by the linker script */

#define IN_FLASH ((uintptr_t)_slot)
/* 0 to 3 have 16 KB each, those from 5 on 128 KB. */
#define SECTOR_OF(offset) ((offset) < 0x10000u ? (offset) / 0x4000u : (offset) / 0x20000u + 4u)
#define SECTOR SECTOR_OF((unsigned)(IN_FLASH - 0x08000000u))
#define IN_EMULATOR 0x20020000u

static uintptr_t base;

void ein_slot_init(bool is_silicon)
{
    base = is_silicon ? IN_FLASH : IN_EMULATOR;
}

bool ein_port_slot_read(uint32_t offset, void *bytes, size_t n)
{
    memcpy(bytes, (const void *)(base + offset), n);
    return true;
}

bool ein_port_slot_erase(void)
{
    if (base == IN_EMULATOR) {
        memset((void *)base, 0xFF, EIN_SLOT_BYTES);
        return true;
    }
    return ein_flash_erase(SECTOR);
}

bool ein_port_slot_write(uint32_t offset, const void *bytes, size_t n)
{
    if (base == IN_EMULATOR) {
        memcpy((void *)(base + offset), bytes, n);
        return true;
    }
    return ein_flash_write((uint32_t)(base + offset), bytes, n);
}
