/* Which sector of the flash of an STM32F4 device keeps what (flash.h has their sizes), and which
 * place beyond the chip's RAM stands for it where flash cannot be written (QEMU: 64 KB from
 * 0x20020000, kept over a reset).
 *
 *   sector         F405 (1 MB)                      F411, F446 (512 KB)
 *   0              boot stage                       boot stage
 *   1, 2           the key's pages                  the key's pages
 *   3              a patient's head                 a patient's head
 *   4              the log                          the log
 *   5              image, slot 0                    image
 *   6              image, slot 1                    the log
 *   7 to 11        the log                          7: the log
 *
 * An image that is written without a boot stage begins in sector 0 and must end before sector 5;
 * the log has those from 5 on but the last, which keeps a patient's head: such a device has no
 * key's pages, and its key is RAM's.
 */
#ifndef EIN_FLASH_MAP_H
#define EIN_FLASH_MAP_H

#define EIN_FLASH_SECTOR_BOOT 0u
#define EIN_FLASH_SECTOR_KEYS 1u /* and the next one */
#define EIN_FLASH_SECTOR_IMAGE 5u
#define EIN_FLASH_SECTOR_UPDATE 6u /* F405 only */

/* slot.c has 0x20020000 to 0x20021FFF. */
#define EIN_EMULATED_KEYS 0x20022000u
#define EIN_EMULATED_LOG 0x20024000u /* to the end: 48 KB */

#endif
