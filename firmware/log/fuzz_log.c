/* libFuzzer target: any bytes as the sectors of a flash. The log mounts, reads, goes on, and what
   it then appends is there; a first byte chooses the unit, and whether sector headers and records
   are mended so that mutations pass their CRC. clang -fsanitize=fuzzer,address,undefined … (make
   fuzz) */
#include <stdlib.h>
#include <string.h>

#include "ein_log.h"
#include "ein_log_ecg.h"
#include "ein_log_place.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECTORS 3u
#define BYTES 2048u

static uint8_t flash[SECTORS][BYTES];
static uint8_t unit;
static uint64_t bytes_read;

static void require(bool good)
{
    if (!good) {
        abort();
    }
}

void ein_log_port_info(ein_log_port_info_t *info)
{
    *info = (ein_log_port_info_t){.sectors = SECTORS, .unit_bytes = unit};
}

uint32_t ein_log_port_sector_bytes(uint16_t sector)
{
    require(sector < SECTORS);
    return BYTES;
}

bool ein_log_port_read(uint16_t sector, uint32_t offset, void *bytes, size_t n)
{
    require(sector < SECTORS && offset <= BYTES && n <= BYTES - offset);
    bytes_read += n;
    memcpy(bytes, flash[sector] + offset, n);
    return true;
}

bool ein_log_port_write(uint16_t sector, uint32_t offset, const void *bytes, size_t n)
{
    require(sector < SECTORS && offset <= BYTES && n <= BYTES - offset);
    require(offset % unit == 0 && n % unit == 0);
    require(ein_log_is_blank(flash[sector] + offset, (uint32_t)n)); /* written once */
    memcpy(flash[sector] + offset, bytes, n);
    return true;
}

bool ein_log_port_erase(uint16_t sector)
{
    require(sector < SECTORS);
    memset(flash[sector], 0xFF, BYTES);
    return true;
}

ein_log_erase_t ein_log_port_erase_poll(void)
{
    return EIN_LOG_ERASE_DONE;
}

/* Headers and records whose CRC is right, wherever something looks like one. */
static void mend(void)
{
    for (unsigned s = 0; s < SECTORS; s++) {
        uint8_t *const raw = flash[s];
        ein_put_u32(raw, EIN_LOG_MAGIC);
        raw[26] = unit;
        ein_put_u32(raw + 28, ein_log_crc(0, 0, raw, 28));
        for (uint32_t at = EIN_LOG_HEADER_BYTES; at + 8u <= BYTES;) {
            const uint32_t payload = 4u * (raw[at + 1] & EIN_LOG_WORDS_MASK);
            const uint32_t next = at + ein_log_record_size(payload, unit);
            if (raw[at] == 0 || raw[at] == 0xFF || next > BYTES) {
                at += unit;
                continue;
            }
            ein_put_u32(raw + at + 4u + payload,
                        ein_log_crc(ein_get_u32(raw + 4), at, raw + at, 4u + payload));
            at = next;
        }
    }
}

static uint32_t scan(const ein_log_t *log, uint32_t *last)
{
    static uint8_t buffer[EIN_LOG_RECORD_BYTES];
    static int16_t samples[UINT16_MAX];
    uint32_t n = 0;
    for (uint16_t s = 0; s < SECTORS; s++) {
        ein_log_cursor_t cursor;
        ein_log_record_t record;
        uint32_t fields[16];
        if (log->sequence[s] == 0 || !ein_log_scan_open(&cursor, s, unit, BYTES)) {
            continue;
        }
        while (ein_log_scan_next(&cursor, buffer, &record)) {
            require(record.offset + 8u + record.size <= BYTES);
            ein_log_unpack(record.kind, record.payload, record.size, fields);
            if (record.kind == EIN_LOG_ECG && record.size >= 12u) {
                ein_log_ecg_t piece;
                memcpy(&piece, fields, sizeof(piece));
                require(ein_log_ecg_read(&piece, record.payload + 12, record.size - 12u, samples) <=
                        piece.samples);
            }
            if (record.kind == EIN_LOG_EVENT && s == log->current) {
                *last = fields[3];
            }
            n++;
        }
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static ein_log_t log;
    memset(flash, 0xFF, sizeof(flash));
    const uint8_t options = size > 0 ? data[0] : 0;
    unit = (options & 1u) != 0 ? 8u : 4u;
    if (size > 1) {
        memcpy(flash, data + 1, size - 1 < sizeof(flash) ? size - 1 : sizeof(flash));
    }
    if ((options & 2u) != 0) {
        mend();
    }
    bytes_read = 0;
    require(ein_log_mount(&log) == EIN_LOG_OK);
    /* Headers, and three times a sector, each place with what seems to be a record there. */
    require(bytes_read <= SECTORS * 32u + 3u * (BYTES + BYTES / unit * EIN_LOG_RECORD_BYTES));
    uint32_t last = 0;
    scan(&log, &last);

    ein_log_position_t from = {0, 0};
    uint8_t piece[100];
    size_t all = 0;
    for (size_t n; (n = ein_log_read(&log, &from, piece, sizeof(piece))) > 0; all += n) {
        from.offset += (uint32_t)n;
        require(all <= sizeof(flash));
    }
    if (log.next_sequence > INT32_MAX - 64u) {
        return 0; /* no flash is erased so often: the log ends there */
    }
    bool kept = false;
    for (uint32_t i = 0; i < 12u && !kept; i++) {
        ein_log_step(&log, i, true);
        kept = ein_log_event(&log, EIN_LOG_EVENT_SETTINGS, 0, 0xC0FFEEu, 0, i) == EIN_LOG_OK;
    }
    require(kept);
    scan(&log, &last);
    require(last == 0xC0FFEEu);
    ein_log_mount(&log);
    scan(&log, &last);
    require(last == 0xC0FFEEu);
    return 0;
}
