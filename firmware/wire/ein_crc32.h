/* CRC-32 of IEEE 802.3 (reflected, polynomial 0xEDB88320, as zlib's crc32()). */
#ifndef EIN_CRC32_H
#define EIN_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* The CRC of data after what `crc` already covers; start with crc = 0. Chainable: the CRC of a
   piece handed in with the next piece gives the CRC of both. */
uint32_t ein_crc32(uint32_t crc, const void *data, size_t size);

#endif
