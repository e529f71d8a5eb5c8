/* The log's writer: records into the current sector, checked, and a new sector. Private to
 * firmware/log.
 */
#ifndef EIN_LOG_STORE_H
#define EIN_LOG_STORE_H

#include "ein_log.h"

/* Kept at each sector's end for the records that say which sector is given up: one for each cut of
   the power while one is written or the sector erased, eight in all, four in a sector of 1 KB. */
#define EIN_LOG_GIVE_UP_ROOM 256u

/* An eighth of a sector, at most so many bytes. */
static inline uint32_t ein_log_eighth(uint32_t sector_bytes, uint32_t most)
{
    return sector_bytes / 8u < most ? sector_bytes / 8u : most;
}

/* Writes the record at the place for the next one, and reads it back. `is_own`: it may take the
   room at the sector's end. False: it does not fit, or the flash does not take it. */
bool ein_log_store(ein_log_t *log, ein_log_kind_t kind, const void *fields, const uint8_t *rest,
                   size_t n, bool is_own);

/* Makes the sector, just erased, the current one. False: the flash does not take it. */
bool ein_log_store_open(ein_log_t *log, uint16_t sector, uint32_t erases);

#endif
