#include "flash.h"

#include <string.h>

#include "stm32f4.h"

/* A poll takes 10 cycles at least, while nothing stalls it: 2.4 s at 168 MHz. */
#define WAIT_POLLS 40000000u

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

bool ein_flash_erase(unsigned sector)
{
    IWDG->KR = IWDG_KR_FEED; /* erasing takes a part of its time */
    unlock(FLASH_CR_SER | sector << FLASH_CR_SNB_SHIFT);
    FLASH_CR |= FLASH_CR_STRT;
    const bool good = wait();
    lock();
    return good;
}

bool ein_flash_write(uint32_t address, const void *bytes, size_t n)
{
    bool good = true;
    unlock(FLASH_CR_PG);
    for (size_t i = 0; good && i < n; i += 4) {
        uint32_t word;
        memcpy(&word, (const uint8_t *)bytes + i, sizeof(word));
        *(reg_t *)(uintptr_t)(address + i) = word;
        good = wait();
    }
    lock();
    return good;
}
