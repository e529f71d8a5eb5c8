/* The last sector of the flash, 128 KB behind what the linker script gives an image: 7 of F411xE
   and F446, 11 of F405xG. RM0090 3.5 and 3.6, RM0383 3.5, RM0390 3.5; erasing takes 1 s, at most
   2 s (data sheets, 32 bits at a time), in which the core waits for its next instruction: the
   watchdog, 2.7 s at least, is fed just before, and bytes that arrive are lost. Not run on silicon
   yet.

   QEMU's machine takes flash for ROM and has no flash controller. There the slot is RAM at
   0x20020000, where the chip itself has none: it survives a reset, and no end of the emulator. */
#include "slot.h"

#include <string.h>

#include "ein_port.h"
#include "stm32f4.h"

extern uint8_t _slot[]; /* by the linker script */

#define IN_FLASH ((uintptr_t)_slot)
/* Those from 5 on have 128 KB each. */
#define SECTOR ((uint32_t)(IN_FLASH - 0x08000000u) / 0x20000u + 4u)
#define IN_EMULATOR 0x20020000u
/* A poll takes 10 cycles at least, while nothing stalls it: 2.4 s at 168 MHz. */
#define WAIT_POLLS 40000000u

static uintptr_t base;

void ein_slot_init(bool is_silicon)
{
    base = is_silicon ? IN_FLASH : IN_EMULATOR;
}

static bool wait(void)
{
    for (uint32_t i = 0; i < WAIT_POLLS; i++) {
        if ((FLASH_SR & FLASH_SR_BSY) == 0) {
            return (FLASH_SR & FLASH_SR_ERRORS) == 0;
        }
    }
    return false;
}

static void unlock(uint32_t operation)
{
    FLASH_KEYR = FLASH_KEY1;
    FLASH_KEYR = FLASH_KEY2;
    FLASH_SR = FLASH_SR_ERRORS; /* written ones clear what an earlier operation left */
    FLASH_CR = FLASH_CR_PSIZE_X32 | operation;
}

/* The data cache may hold what the flash held before. */
static void lock(void)
{
    FLASH_CR = FLASH_CR_LOCK;
    FLASH_ACR &= ~FLASH_ACR_DCEN;
    FLASH_ACR |= FLASH_ACR_DCRST;
    FLASH_ACR &= ~FLASH_ACR_DCRST;
    FLASH_ACR |= FLASH_ACR_DCEN;
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
    IWDG->KR = IWDG_KR_FEED; /* erasing takes a part of its time */
    unlock(FLASH_CR_SER | SECTOR << FLASH_CR_SNB_SHIFT);
    FLASH_CR |= FLASH_CR_STRT;
    const bool good = wait();
    lock();
    return good;
}

bool ein_port_slot_write(uint32_t offset, const void *bytes, size_t n)
{
    if (base == IN_EMULATOR) {
        memcpy((void *)(base + offset), bytes, n);
        return true;
    }
    bool good = true;
    unlock(FLASH_CR_PG);
    for (size_t i = 0; good && i < n; i += 4) {
        uint32_t word;
        memcpy(&word, (const uint8_t *)bytes + i, sizeof(word));
        *(reg_t *)(base + offset + i) = word;
        good = wait();
    }
    lock();
    return good;
}
