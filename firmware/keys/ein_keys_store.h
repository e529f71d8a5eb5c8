/* What the keys keep without power: the key, the count of boots, the failures in a row; and
 * a word of the device's settings.
 *
 * Records of 64 bytes, each the whole state with a CRC-32, one after another in two pages; the one
 * with the highest number counts, and a page is erased when the other is full. A write that was cut
 * leaves the record before (a record's first word is written last); a page whose erase was cut
 * holds older records, or none. A record is read back after it was written, and the next place
 * taken if it is not there. Whoever mounts writes a new record before relying on the one that was
 * found, since that may be a half-written one which reads right only now.
 *
 * Stack: at most 250 bytes; all times are bounded by 128 reads of 64 bytes.
 */
#ifndef EIN_KEYS_STORE_H
#define EIN_KEYS_STORE_H

#include <stdbool.h>
#include <stdint.h>

#define EIN_KEYS_STORE_RECORD_BYTES 64u

typedef struct {
    uint32_t magic;
    uint32_t number; /* modulo 2^32 */
    uint32_t boots;
    uint32_t failures; /* in a row, saturating */
    uint8_t key[32];
    uint32_t has_key;  /* 1, or 0 */
    uint32_t settings; /* the device's, 0: as delivered */
    uint32_t reserved;
    uint32_t crc; /* of all before */
} ein_keys_record_t;

typedef enum {
    EIN_KEYS_STORE_EMPTY = 0, /* nothing was ever kept there: all zeros */
    EIN_KEYS_STORE_FOUND = 1,
    EIN_KEYS_STORE_DAMAGED = 2 /* records lie there, and none is whole: all zeros */
} ein_keys_store_found_t;

/* Finds the newest record. */
ein_keys_store_found_t ein_keys_store_mount(ein_keys_record_t *record);

/* Keeps boots, failures, key, has_key and settings of `record`, as its next number. False if the
   pages do not take it: what was kept before still is. */
bool ein_keys_store_append(ein_keys_record_t *record);

/* The same, and erases all records before: no older key, nor a time without one, can come back. */
bool ein_keys_store_renew(ein_keys_record_t *record);

#endif
