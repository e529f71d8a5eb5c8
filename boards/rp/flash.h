/* The serial flash of an RP2040 or RP2350 board, written by the boot ROM's functions. */
#ifndef EIN_FLASH_H
#define EIN_FLASH_H

#include <stdbool.h>
#include <stdint.h>

#define EIN_FLASH_PAGE_BYTES 256u
#define EIN_FLASH_SECTOR_BYTES 4096u

/* Before any other of these functions. */
void ein_flash_init(void);

/* False without a boot ROM, that is in an emulator that brings none: the slot is then RAM, which a
   reset leaves alone, and there is no serial number. */
bool ein_flash_is_silicon(void);

/* A 64-bit number that no other board has, in hexadecimal: 16 characters and a NUL. */
void ein_flash_serial(char text[17]);

/* On silicon only. at: from the flash's begin, n: both whole sectors. */
void ein_flash_erase(uint32_t at, uint32_t n);

/* On silicon only. A page; what is 0xFF in it stays as it is. */
void ein_flash_program(uint32_t at, const uint8_t *page);

#endif
