/* Where things lie in a sector, shared by the log's writer and reader. Private to firmware/log.
 *
 * A record: kind u8, version << 6 | words u8, seconds u16 (low bits), payload of so many words,
 * CRC-32 over the sector's sequence, the record's offset, and what stands before it.
 */
#ifndef EIN_LOG_PLACE_H
#define EIN_LOG_PLACE_H

#include "ein_bytes.h"
#include "ein_crc32.h"
#include "ein_log_port.h"
#include "ein_log_spec.h"

#define EIN_LOG_VERSION_SHIFT 6
#define EIN_LOG_WORDS_MASK 0x3Fu

/* Of a record with so many bytes of payload, filled up to a unit. */
static inline uint32_t ein_log_record_size(uint32_t payload, uint8_t unit)
{
    return (payload + 8u + unit - 1u) / unit * unit;
}

/* Never what an erased word reads as. */
static inline uint32_t ein_log_crc(uint32_t sequence, uint32_t offset, const uint8_t *bytes,
                                   uint32_t n)
{
    uint8_t place[8];
    ein_put_u32(ein_put_u32(place, sequence), offset);
    const uint32_t crc = ein_crc32(ein_crc32(0, place, sizeof(place)), bytes, n);
    return crc == UINT32_MAX ? 0u : crc;
}

static inline bool ein_log_is_blank(const uint8_t *bytes, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (bytes[i] != 0xFFu) {
            return false;
        }
    }
    return true;
}

#endif
