/* firmware/log/ein_log_port.h for the STM32F1 boards: the pages between the image and the slot,
 * each a sector. RM0008 3.3.3 and ST PM0075: a half-word is written at once, a page erased in 20 to
 * 40 ms, in which the core waits, and conversions and received bytes go on (stream.h, serial.c).
 */
#include "ein_log_port.h"

#include <string.h>

#include "flash.h"

extern uint8_t _log[], _slot[]; /* by the linker script */

typedef char ein_check_sector[EIN_FLASH_PAGE_BYTES >= EIN_LOG_SECTOR_LEAST_BYTES ? 1 : -1];

static bool erased;

static uint32_t address(uint16_t sector)
{
    return (uint32_t)(uintptr_t)_log + sector * EIN_FLASH_PAGE_BYTES;
}

void ein_log_port_info(ein_log_port_info_t *info)
{
    info->sectors = (uint16_t)((uint32_t)(_slot - _log) / EIN_FLASH_PAGE_BYTES);
    info->unit_bytes = 4;
}

uint32_t ein_log_port_sector_bytes(uint16_t sector)
{
    (void)sector;
    return EIN_FLASH_PAGE_BYTES;
}

bool ein_log_port_read(uint16_t sector, uint32_t offset, void *bytes, size_t n)
{
    memcpy(bytes, (const void *)(uintptr_t)(address(sector) + offset), n);
    return true;
}

bool ein_log_port_write(uint16_t sector, uint32_t offset, const void *bytes, size_t n)
{
    return ein_flash_write(address(sector) + offset, bytes, n);
}

bool ein_log_port_erase(uint16_t sector)
{
    erased = ein_flash_erase(address(sector));
    return true;
}

ein_log_erase_t ein_log_port_erase_poll(void)
{
    return erased ? EIN_LOG_ERASE_DONE : EIN_LOG_ERASE_FAILED;
}
