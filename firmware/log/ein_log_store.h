/* The log's writer: records into the current sector, checked, and a new sector. Private to
 * firmware/log.
 */
#ifndef EIN_LOG_STORE_H
#define EIN_LOG_STORE_H

#include "ein_log.h"

/* Kept of each sector for the records that say which sector is given up. */
#define EIN_LOG_GIVE_UP_ROOM 256u

/* Writes the record at the place for the next one, and reads it back. `room`: bytes at the sector's
   end that stay free. False: it does not fit, or the flash does not take it. */
bool ein_log_store(ein_log_t *log, ein_log_kind_t kind, const void *fields, const uint8_t *rest,
                   size_t n, uint32_t room);

/* Makes the sector, just erased, the current one. False: the flash does not take it. */
bool ein_log_store_open(ein_log_t *log, uint16_t sector, uint32_t erases);

#endif
