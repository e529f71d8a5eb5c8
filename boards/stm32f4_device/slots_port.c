/* firmware/keys/ein_slots_port.h for the STM32F4 boards: sectors 5 and 6 of a chip of 1 MB, sector
 * 5 alone of one of 512 KB, whose sector 6 is the log's. Not run on silicon yet: QEMU's machine
 * starts from there, and cannot write.
 */
#include "ein_slots_port.h"

#include <string.h>

#include "board.h"
#include "count.h"
#include "flash.h"
#include "flash_map.h"

#ifndef EIN_BOARD_SECOND_SLOT
#define EIN_BOARD_SECOND_SLOT 0
#endif

extern uint8_t _image_start[]; /* by the linker script: behind the header, if there is one */

static unsigned sector_of(unsigned slot)
{
    return slot == 0 ? EIN_FLASH_SECTOR_IMAGE : EIN_FLASH_SECTOR_UPDATE;
}

uint32_t ein_slots_port_address(unsigned slot)
{
    return slot == 0 || EIN_BOARD_SECOND_SLOT ? ein_flash_address(sector_of(slot)) : 0;
}

unsigned ein_slots_port_running(void)
{
    const uint32_t here = (uint32_t)(uintptr_t)_image_start;
    for (unsigned slot = 0; slot < EIN_SLOTS; slot++) {
        const uint32_t begin = ein_flash_address(sector_of(slot));
        if (here > begin && here < ein_flash_address(sector_of(slot) + 1u)) {
            return slot;
        }
    }
    return EIN_SLOTS;
}

bool ein_slots_port_read(unsigned slot, uint32_t offset, void *bytes, size_t n)
{
    memcpy(bytes, (const void *)(uintptr_t)(ein_slots_port_address(slot) + offset), n);
    return true;
}

bool ein_slots_port_erase(unsigned slot)
{
    return ein_count_is_silicon() && ein_flash_erase(sector_of(slot));
}

bool ein_slots_port_write(unsigned slot, uint32_t offset, const void *bytes, size_t n)
{
    return ein_count_is_silicon() &&
           ein_flash_write(ein_slots_port_address(slot) + offset, bytes, n);
}
