#include "flash.h"

#include <string.h>

#include "stm32f1.h"

/* A poll takes 5 cycles at least, while nothing stalls it: 0.14 s at 72 MHz. */
#define WAIT_POLLS 2000000u

static bool wait(void)
{
    for (uint32_t i = 0; i < WAIT_POLLS; i++) {
        if ((FLASH->SR & FLASH_SR_BSY) == 0) {
            return (FLASH->SR & FLASH_SR_ERRORS) == 0;
        }
    }
    return false;
}

static void unlock(uint32_t operation)
{
    FLASH->KEYR = FLASH_KEY1;
    FLASH->KEYR = FLASH_KEY2;
    FLASH->SR = FLASH_SR_ERRORS; /* what an earlier operation left */
    FLASH->CR = operation;
}

bool ein_flash_erase(uint32_t address)
{
    IWDG->KR = IWDG_KR_FEED;
    unlock(FLASH_CR_PER);
    FLASH->AR = address;
    FLASH->CR = FLASH_CR_PER | FLASH_CR_STRT;
    const bool good = wait();
    FLASH->CR = FLASH_CR_LOCK;
    return good;
}

bool ein_flash_write(uint32_t address, const void *bytes, size_t n)
{
    bool good = true;
    unlock(FLASH_CR_PG);
    for (size_t i = 0; good && i < n; i += 2) {
        uint16_t half;
        memcpy(&half, (const uint8_t *)bytes + i, sizeof(half));
        *(volatile uint16_t *)(uintptr_t)(address + i) = half;
        good = wait();
    }
    FLASH->CR = FLASH_CR_LOCK;
    return good;
}
