/* What an emulated chip and a model of flash beside it say to each other: a request, a reply,
 * again.
 *
 * QEMU takes flash for ROM and has no flash controller. So an image whose log port is
 * boards/stm32f4_beside_flash asks a process of this machine over two pipes, by semihosting. The
 * flash is firmware/log/test_flash.h, the one that the log's cuts on the host are made with, and
 * outlasts the chip as a file. Little-endian, fixed sizes.
 */
#ifndef EIN_BESIDE_FLASH_H
#define EIN_BESIDE_FLASH_H

#include <stdint.h>

typedef enum {
    EIN_BESIDE_FLASH_INFO = 0,
    EIN_BESIDE_FLASH_READ = 1,  /* n bytes from offset on follow the reply */
    EIN_BESIDE_FLASH_WRITE = 2, /* n bytes follow the request */
    EIN_BESIDE_FLASH_ERASE = 3,
} ein_beside_flash_operation_t;

typedef struct {
    uint16_t operation, sector;
    uint32_t offset, n;
} ein_beside_flash_request_t;

typedef struct {
    uint8_t good, unit; /* unit, sectors and bytes of one sector: of every reply */
    uint16_t sectors;
    uint32_t bytes;
    uint32_t us; /* that the chip stood still for it */
} ein_beside_flash_reply_t;

#endif
