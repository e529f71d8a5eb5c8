/* The STM32F1's flash by pages of 1 KB (medium density: up to 128 KB). RM0008 3.3.3 and ST PM0075.
 *
 * Erasing a page takes 20 to 40 ms, a half-word 40 to 70 us, in which the core waits for its next
 * instruction and bytes that arrive are lost. The RC oscillator must run, and does.
 */
#ifndef EIN_FLASH_H
#define EIN_FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EIN_FLASH_PAGE_BYTES 1024u

/* After it all bytes of the page that begins there are 0xFF. False if the controller reports an
 * error. */
bool ein_flash_erase(uint32_t address);

/* Half-words at an even address; n is even, too. */
bool ein_flash_write(uint32_t address, const void *bytes, size_t n);

#endif
