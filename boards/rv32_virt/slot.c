/* The slot in the machine's second flash: Intel's command set (CFI 1), two chips of 16 bits side by
   side, 256 KB a sector. Without `-drive if=pflash` the emulator keeps it until it ends, resets
   included. Sources: JEDEC JESD68.01, Intel's StrataFlash data sheet, QEMU's hw/riscv/virt.c. */
#include <string.h>

#include "ein_port.h"
#include "riscv.h"

#define FLASH 0x22000000u
#define BOTH(value) ((uint32_t)(value) << 16 | (value)) /* the same for either chip */
#define COMMAND_READ BOTH(0xFFu)
#define COMMAND_PROGRAM BOTH(0x40u)
#define COMMAND_ERASE BOTH(0x20u)
#define COMMAND_CONFIRM BOTH(0xD0u)
#define COMMAND_CLEAR BOTH(0x50u)
#define STATUS_READY BOTH(0x80u)
#define STATUS_ERRORS BOTH(0x3Au) /* erase, program, voltage, lock */
#define WAIT_POLLS 10000000u

static reg_t *word_at(uint32_t offset)
{
    return (reg_t *)(uintptr_t)(FLASH + offset);
}

/* A command in two cycles; ends in array mode. */
static bool run(uint32_t offset, uint32_t first, uint32_t second)
{
    reg_t *at = word_at(offset);
    uint32_t status = 0;

    *at = COMMAND_CLEAR;
    *at = first;
    *at = second;
    for (uint32_t i = 0; i < WAIT_POLLS && (status & STATUS_READY) != STATUS_READY; i++) {
        status = *at;
    }
    *at = COMMAND_READ;
    return (status & (STATUS_READY | STATUS_ERRORS)) == STATUS_READY;
}

bool ein_port_slot_read(uint32_t offset, void *bytes, size_t n)
{
    memcpy(bytes, (const void *)word_at(offset), n);
    return true;
}

bool ein_port_slot_erase(void)
{
    return run(0, COMMAND_ERASE, COMMAND_CONFIRM);
}

bool ein_port_slot_write(uint32_t offset, const void *bytes, size_t n)
{
    bool good = true;
    for (size_t i = 0; good && i < n; i += 4) {
        uint32_t word;
        memcpy(&word, (const uint8_t *)bytes + i, sizeof(word));
        good = run(offset + (uint32_t)i, COMMAND_PROGRAM, word);
    }
    return good;
}
