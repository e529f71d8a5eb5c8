/* firmware/keys/ein_keys_port.h for a process: a file (--keys), or memory that a reset keeps. */
#define _GNU_SOURCE
#include "ein_keys_port.h"

#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "host.h"

static off_t place(unsigned page, uint32_t offset)
{
    return (off_t)(page * EIN_KEYS_PAGE_BYTES + offset);
}

bool ein_keys_port_read(unsigned page, uint32_t offset, void *bytes, size_t n)
{
    memset(bytes, 0xFF, n); /* what was never written */
    return pread(ein_host.keys, bytes, n, place(page, offset)) >= 0;
}

bool ein_keys_port_erase(unsigned page)
{
    uint8_t erased[EIN_KEYS_PAGE_BYTES];
    memset(erased, 0xFF, sizeof(erased));
    return ein_keys_port_write(page, 0, erased, sizeof(erased));
}

bool ein_keys_port_write(unsigned page, uint32_t offset, const void *bytes, size_t n)
{
    return pwrite(ein_host.keys, bytes, n, place(page, offset)) == (ssize_t)n;
}

size_t ein_keys_port_entropy(uint8_t bytes[32])
{
    const ssize_t n = getrandom(bytes, 32, GRND_NONBLOCK);
    return n > 0 ? (size_t)n : 0;
}
