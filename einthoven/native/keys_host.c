/* Pages of a device's key in memory, whose power can be cut, for cffi. */
#include <stdlib.h>
#include <string.h>

#include "ein_keys_port.h"
#include "flash_host.h"

uint8_t ein_host_keys_pages[EIN_KEYS_PAGES][EIN_KEYS_PAGE_BYTES];
uint8_t ein_host_keys_entropy[32];
size_t ein_host_keys_entropy_bytes;
bool ein_host_keys_worn; /* writes are taken and not kept */

static uint8_t *place(unsigned page, uint32_t offset, size_t n)
{
    if (page >= EIN_KEYS_PAGES || offset % 4 != 0 || offset + n > EIN_KEYS_PAGE_BYTES) {
        abort();
    }
    return ein_host_keys_pages[page] + offset;
}

bool ein_keys_port_read(unsigned page, uint32_t offset, void *bytes, size_t n)
{
    return ein_host_flash_read(place(page, offset, n), bytes, n);
}

bool ein_keys_port_erase(unsigned page)
{
    return ein_host_flash_erase(place(page, 0, EIN_KEYS_PAGE_BYTES), EIN_KEYS_PAGE_BYTES);
}

bool ein_keys_port_write(unsigned page, uint32_t offset, const void *bytes, size_t n)
{
    uint8_t *at = place(page, offset, n);
    return ein_host_keys_worn || ein_host_flash_write(at, bytes, n);
}

size_t ein_keys_port_entropy(uint8_t bytes[32])
{
    memcpy(bytes, ein_host_keys_entropy, ein_host_keys_entropy_bytes);
    return ein_host_keys_entropy_bytes;
}
