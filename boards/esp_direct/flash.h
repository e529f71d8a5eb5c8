/* The ESP32-C3's serial flash, written by its ROM. What runs meanwhile lies in RAM. */
#ifndef EIN_FLASH_H
#define EIN_FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EIN_FLASH_SECTOR_BYTES 4096u

/* Offsets from the flash's begin, of a whole sector; 45 ms, at most 0.4 s (W25Q32JV, 9.6). */
bool ein_flash_erase(uint32_t at);

/* at and n: multiples of 4. What was erased is written once. */
bool ein_flash_write(uint32_t at, const void *bytes, size_t n);

#endif
