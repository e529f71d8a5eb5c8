/* The flash of the STM32F4 by sectors, on silicon: 0 to 3 have 16 KB, 4 has 64 KB, those from 5 on
 * 128 KB each. RM0090 3.5 and 3.6, RM0383 3.5, RM0390 3.5.
 *
 * Erasing takes 1 s, at most 2 s (128 KB, 32 bits at a time; 16 KB: 0.25 s, at most 0.5 s), in
 * which the core waits for its next instruction: the watchdog, 2.7 s at least, is fed just before,
 * and bytes that arrive are lost. A word takes 16 us, at most 100 us. Run on a model of the
 * controller (hil_tests/chips/stm32f4/flash.py), not on silicon yet;
 * QEMU's machine takes flash for ROM and has no flash controller: who keeps something finds another
 * place there.
 */
#ifndef EIN_FLASH_H
#define EIN_FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint32_t ein_flash_address(unsigned sector)
{
    return 0x08000000u + (sector < 4u   ? sector * 0x4000u
                          : sector < 5u ? 0x10000u
                                        : (sector - 4u) * 0x20000u);
}

/* After it all bytes of the sector are 0xFF. False if the controller reports an error. */
bool ein_flash_erase(unsigned sector);

/* Words at an address that is a multiple of 4; n is one, too. */
bool ein_flash_write(uint32_t address, const void *bytes, size_t n);

#endif
