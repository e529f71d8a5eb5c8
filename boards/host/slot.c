/* The slot of a process: a file, written in order, so that a process that ends in the middle leaves
 * what a chip does whose power goes. */
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>

#include "host.h"

static bool put(uint32_t offset, const uint8_t *bytes, size_t n)
{
    size_t left = n;
    if (ein_host.power_cut >= 0 && (size_t)ein_host.power_cut < n) {
        left = (size_t)ein_host.power_cut;
    }
    if (pwrite(ein_host.slot, bytes, left, (off_t)offset) != (ssize_t)left) {
        return false;
    }
    if (left < n) {
        _exit(0);
    }
    ein_host.power_cut -= ein_host.power_cut >= 0 ? (long)n : 0;
    return true;
}

bool ein_port_slot_read(uint32_t offset, void *bytes, size_t n)
{
    memset(bytes, 0xFF, n); /* what was never written */
    return pread(ein_host.slot, bytes, n, (off_t)offset) >= 0;
}

bool ein_port_slot_erase(void)
{
    uint8_t erased[EIN_SLOT_BYTES];
    memset(erased, 0xFF, sizeof(erased));
    return put(0, erased, sizeof(erased));
}

bool ein_port_slot_write(uint32_t offset, const void *bytes, size_t n)
{
    return put(offset, bytes, n);
}
