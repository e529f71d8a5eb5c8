/* Flash as it behaves when the power goes, for what is written on the host with the device's C.
 *
 * A word (4 bytes) is written once after an erase and clears bits only; words and erases are the
 * operations that are counted. The one at which the power goes is done by a random half: a word's
 * bits, which from then on also read differently each time; an erase, bytes. After it nothing
 * happens until ein_host_flash_power(). What breaks flash's own rules aborts.
 */
#ifndef EIN_FLASH_HOST_H
#define EIN_FLASH_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Power comes on and goes at the operation after `left` more; negative: it stays. */
void ein_host_flash_power(int32_t left, uint32_t seed);

/* Operations since then, the broken one included; whether the power has gone. */
uint32_t ein_host_flash_operations(void);
bool ein_host_flash_is_off(void);

bool ein_host_flash_erase(uint8_t *at, size_t n);
bool ein_host_flash_write(uint8_t *at, const void *bytes, size_t n);
bool ein_host_flash_read(const uint8_t *at, void *bytes, size_t n);

#endif
