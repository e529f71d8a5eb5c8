/* firmware/log/ein_log_port.h for a process: a file (--log) with the sectors of an STM32F405
 * without a boot stage, or memory that a reset keeps. Written in order, word by word, so that a
 * process that is killed leaves what a chip does whose power goes. */
#define _GNU_SOURCE
#include "ein_log_port.h"

#include <string.h>
#include <unistd.h>

#include "host.h"

#define SECTORS 6u
#define SECTOR_BYTES 0x20000u
#define UNIT_BYTES 4u

static off_t place(uint16_t sector, uint32_t offset)
{
    return (off_t)(sector * SECTOR_BYTES + offset);
}

/* --log-cut: the process ends when so many bytes of the log were written or erased. */
static bool put(off_t at, const uint8_t *bytes, size_t n)
{
    if (ein_host.log_cut >= 0) {
        if ((size_t)ein_host.log_cut < n) {
            n = (size_t)ein_host.log_cut;
        }
        ein_host.log_cut -= (long)n;
    }
    const bool good = pwrite(ein_host.log, bytes, n, at) == (ssize_t)n;
    if (ein_host.log_cut == 0) {
        _exit(0);
    }
    return good;
}

void ein_log_port_info(ein_log_port_info_t *info)
{
    *info = (ein_log_port_info_t){.sectors = SECTORS, .unit_bytes = UNIT_BYTES};
}

uint32_t ein_log_port_sector_bytes(uint16_t sector)
{
    (void)sector;
    return SECTOR_BYTES;
}

bool ein_log_port_read(uint16_t sector, uint32_t offset, void *bytes, size_t n)
{
    memset(bytes, 0xFF, n); /* what was never written */
    return pread(ein_host.log, bytes, n, place(sector, offset)) >= 0;
}

bool ein_log_port_write(uint16_t sector, uint32_t offset, const void *bytes, size_t n)
{
    const uint8_t *word = bytes;
    for (size_t i = 0; i < n; i += UNIT_BYTES) {
        if (!put(place(sector, offset) + (off_t)i, word + i, UNIT_BYTES)) {
            return false;
        }
    }
    return true;
}

bool ein_log_port_erase(uint16_t sector)
{
    uint8_t erased[1024];
    memset(erased, 0xFF, sizeof(erased));
    for (uint32_t at = 0; at < SECTOR_BYTES; at += sizeof(erased)) {
        if (!put(place(sector, at), erased, sizeof(erased))) {
            return false;
        }
    }
    return true;
}

ein_log_erase_t ein_log_port_erase_poll(void)
{
    return EIN_LOG_ERASE_DONE;
}
