/* What a board provides so that its log survives without power: sectors of flash, five functions.

   Sectors are counted from 0 and may differ in size; the log uses them in turn. After an erase all
   bytes of a sector are 0xFF. What is written at once is a unit of 4 or 8 bytes: offsets and sizes
   of a write are multiples of it, and a unit is written once after an erase: the log never asks for
   more, so that parts with error-correcting flash will do. A port may refuse to write a unit that
   does not read as erased.

   What a call has not finished when the power goes is undefined, and may read differently twice.
   Units are written in the order of their addresses; a call returns when all of its bytes are in
   flash. All are called from the main loop only. */
#ifndef EIN_LOG_PORT_H
#define EIN_LOG_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EIN_LOG_SECTORS_MAX 32u
#define EIN_LOG_SECTOR_LEAST_BYTES 1024u

typedef struct {
    uint16_t sectors;   /* 2 to EIN_LOG_SECTORS_MAX; 0: the board has no room for a log */
    uint8_t unit_bytes; /* 4 or 8 */
} ein_log_port_info_t;

typedef enum {
    EIN_LOG_ERASE_BUSY = 0,
    EIN_LOG_ERASE_DONE = 1,
    EIN_LOG_ERASE_FAILED = -1,
} ein_log_erase_t;

void ein_log_port_info(ein_log_port_info_t *info);

/* A multiple of the unit, at least EIN_LOG_SECTOR_LEAST_BYTES. */
uint32_t ein_log_port_sector_bytes(uint16_t sector);

/* Any offset and size within the sector. False: it cannot be read (error correction gave up); the
   log takes such bytes for damaged. */
bool ein_log_port_read(uint16_t sector, uint32_t offset, void *bytes, size_t n);

/* False: a unit could not be written. */
bool ein_log_port_write(uint16_t sector, uint32_t offset, const void *bytes, size_t n);

/* Starts to erase, and may return before it is done; nothing else is asked for until erase_poll()
   says so, except reads where the part allows them (erase_poll() may be what waits). A part that
   stalls the processor meanwhile (STM32F4: up to 2 s for 128 KB) must have its samples taken by
   DMA: docs/log.md says how many. The port feeds the watchdog. */
bool ein_log_port_erase(uint16_t sector);
ein_log_erase_t ein_log_port_erase_poll(void);

#endif
