/* The serial flash of an RP2040 board, written by the boot ROM's functions (data sheet, 2.8.3). */
#ifndef EIN_FLASH_H
#define EIN_FLASH_H

#include <stdbool.h>

/* Before any other function of the slot. */
void ein_flash_init(void);

/* False without a boot ROM, that is in an emulator that brings none: the slot is then RAM, which a
   reset leaves alone, and there is no serial number. */
bool ein_flash_is_silicon(void);

/* The flash chip's 64-bit number in hexadecimal, 16 characters and a NUL. */
void ein_flash_serial(char text[17]);

#endif
