/* The log's reader: the records of one sector, one after the other, over what a cut of the power
 * left.
 *
 * Behind a record that does not check it looks on, unit by unit: a record is valid where its CRC,
 * which covers the sector's sequence and its own place, says so. Time: at most the sector's bytes
 * once, and each unit's place once with the record that seems to stand there. RAM: the cursor, and
 * a buffer of EIN_LOG_RECORD_BYTES. Errors: none; what cannot be read is not there.
 */
#ifndef EIN_LOG_SCAN_H
#define EIN_LOG_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "ein_log_spec.h"

/* Head, payload, CRC, filled up to a unit of 8. */
#define EIN_LOG_RECORD_BYTES 264u

typedef struct {
    uint32_t sequence; /* of the content; from 1 on */
    uint32_t erases;   /* of the sector */
    uint32_t records;  /* in the log before it */
    uint32_t given_up; /* of them, when it was opened */
    uint32_t t_s;      /* when it was opened, */
    uint16_t boot;     /* and in which boot */
    uint8_t unit;
} ein_log_header_t;

typedef struct {
    uint16_t sector;
    uint8_t unit;
    uint32_t sequence;
    uint32_t end;      /* of what is looked at */
    uint32_t offset;   /* where to look next */
    uint32_t written;  /* end of the last unit that does not read as erased, so far */
    uint32_t anchor_s; /* what the records count from */
    uint16_t boot;
} ein_log_cursor_t;

typedef struct {
    uint32_t offset; /* of the record in its sector */
    uint8_t kind, version;
    uint16_t boot;
    uint32_t t_s;           /* monotonic seconds of that boot */
    const uint8_t *payload; /* in the buffer */
    uint8_t size;           /* of the payload; what is missing of a layout reads as zeros */
} ein_log_record_t;

/* False: no sector of this format. unit: what it must have been written in; 0: any. */
bool ein_log_scan_header(uint16_t sector, uint8_t unit, ein_log_header_t *header);

/* A cursor at the sector's first record. False: no sector of this format. */
bool ein_log_scan_open(ein_log_cursor_t *cursor, uint16_t sector, uint8_t unit, uint32_t end);

/* The next valid record. False: there are no more, and cursor->written is known. */
bool ein_log_scan_next(ein_log_cursor_t *cursor, uint8_t buffer[EIN_LOG_RECORD_BYTES],
                       ein_log_record_t *record);

/* The fields of a payload, by the layout of its kind: as many 32-bit values as that has. */
void ein_log_unpack(uint8_t kind, const uint8_t *payload, uint8_t size, void *fields);

/* The same the other way round; returns the payload's size, or -1 if there is no such kind. */
int ein_log_pack(uint8_t kind, const void *fields, uint8_t *payload, uint8_t *version);

#endif
