/* firmware/log/ein_log_port.h for the STM32F4 boards: the sectors that flash_map.h leaves to the
 * log.
 *
 * An erase of 128 KB takes 1 s, at most 2 s, in which the core waits for its next instruction;
 * samples that DMA takes meanwhile wait in its ring (docs/log.md). Not run on silicon yet: in QEMU,
 * which has no flash controller, the log is RAM beyond the chip's, in sectors of 4 KB; it survives
 * a reset, and no end of the emulator.
 */
#include "ein_log_port.h"

#include <string.h>

#include "board.h"
#include "count.h"
#include "flash.h"
#include "flash_map.h"

#define EMULATED_SECTORS 12u
#define EMULATED_BYTES 0x1000u
#define UNIT_BYTES 4u

extern uint8_t _image_start[]; /* by the linker script */

/* RM0090 39.2, and there in F411xE and F446, too: the size of the chip's flash in KB. */
#define FLASH_KB (*(const volatile uint16_t *)0x1FFF7A22u)

/* Sector of the flash that stands behind a sector of the log (flash_map.h). */
static const uint8_t with_boot_stage[] = {4, 7, 8, 9, 10, 11};
static const uint8_t with_boot_stage_512k[] = {4, 6, 7};
static const uint8_t alone[] = {5, 6, 7, 8, 9, 10};

static bool erased;

typedef struct {
    const uint8_t *sectors;
    uint16_t count;
} list_t;

static list_t list(void)
{
    const bool large = FLASH_KB >= 1024u;
    if ((uintptr_t)_image_start < ein_flash_address(EIN_FLASH_SECTOR_IMAGE)) {
        return (list_t){alone, large ? 6 : 2};
    }
    return large ? (list_t){with_boot_stage, 6} : (list_t){with_boot_stage_512k, 3};
}

static uint32_t address(uint16_t sector)
{
    if (!ein_count_is_silicon()) {
        return EIN_EMULATED_LOG + sector * EMULATED_BYTES;
    }
    return ein_flash_address(list().sectors[sector]);
}

void ein_log_port_info(ein_log_port_info_t *info)
{
    info->unit_bytes = UNIT_BYTES;
    info->sectors = ein_count_is_silicon() ? list().count : EMULATED_SECTORS;
}

uint32_t ein_log_port_sector_bytes(uint16_t sector)
{
    if (!ein_count_is_silicon()) {
        return EMULATED_BYTES;
    }
    const unsigned real = list().sectors[sector];
    return ein_flash_address(real + 1u) - ein_flash_address(real);
}

bool ein_log_port_read(uint16_t sector, uint32_t offset, void *bytes, size_t n)
{
    memcpy(bytes, (const void *)(uintptr_t)(address(sector) + offset), n);
    return true;
}

bool ein_log_port_write(uint16_t sector, uint32_t offset, const void *bytes, size_t n)
{
    if (!ein_count_is_silicon()) {
        memcpy((void *)(uintptr_t)(address(sector) + offset), bytes, n);
        return true;
    }
    return ein_flash_write(address(sector) + offset, bytes, n);
}

bool ein_log_port_erase(uint16_t sector)
{
    if (!ein_count_is_silicon()) {
        memset((void *)(uintptr_t)address(sector), 0xFF, EMULATED_BYTES);
        erased = true;
    } else {
        erased = ein_flash_erase(list().sectors[sector]);
    }
    return true;
}

ein_log_erase_t ein_log_port_erase_poll(void)
{
    return erased ? EIN_LOG_ERASE_DONE : EIN_LOG_ERASE_FAILED;
}
