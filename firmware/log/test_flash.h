/* A flash on the host that behaves as badly as flash may: ein_log_port.h over memory.
 *
 * What a cut of the power leaves of the operation that it meets is drawn from a seed: of a unit
 * that is written any subset of its bits, of a sector that is erased any mixture of what it was
 * and of ones; some of the bits then read differently each time, until they are erased or written
 * to 0. A worn sector fails, loudly or silently. Writing a unit twice is refused and counted.
 */
#ifndef TEST_FLASH_H
#define TEST_FLASH_H

#include "ein_log_port.h"

typedef struct {
    uint16_t sectors;
    uint8_t unit;
    uint32_t bytes[EIN_LOG_SECTORS_MAX]; /* of each sector */
    uint32_t erase_polls;                /* that an erase takes */
    uint32_t wear_limit;                 /* erases after which a sector may fail; 0: never */
    uint32_t page_bytes;                 /* a sector is erased page by page; 0: at once */
    uint8_t write_bytes; /* a unit is written part by part, each of so many bytes; 0: at once */
    bool forgets;        /* deliberately wrong: a write is told as done one write before it is */
} flash_config_t;

typedef struct {
    uint8_t *value;    /* as a good bit reads */
    uint8_t *marginal; /* bits that read as they like */
    bool any_marginal[EIN_LOG_SECTORS_MAX];
    uint32_t erases[EIN_LOG_SECTORS_MAX];
    uint16_t erasing; /* EIN_LOG_SECTORS_MAX: none */
    uint32_t polls_left;
} flash_state_t;

typedef struct {
    flash_config_t config;
    flash_state_t state;
    uint32_t start[EIN_LOG_SECTORS_MAX + 1]; /* of each sector in the state's bytes */
    uint64_t random;
    uint64_t bytes_read, reads, words_written;
    uint64_t rewritten;   /* units that were to be written a second time */
    void (*before)(void); /* called before each operation; may cut */
    struct {
        bool erase; /* the operation that comes next */
        uint16_t sector;
        uint32_t offset;
        const uint8_t *unit;
    } next;
    struct { /* of a flash that forgets */
        bool pending;
        uint16_t sector;
        uint32_t offset;
        uint8_t unit[8];
    } held;
} flash_t;

extern flash_t flash;

/* All erased, or filled with anything. Uses memory of its own, given back by the next call. */
void flash_make(const flash_config_t *config, uint64_t seed, bool blank);

uint32_t flash_bytes(void);
uint32_t flash_draw(uint32_t below);

/* The power goes: does a part of flash.next, and of an erase that is under way. */
void flash_tear(void);

void flash_save(flash_state_t *into); /* memory is made when into->value is NULL */
void flash_restore(const flash_state_t *from);

#endif
