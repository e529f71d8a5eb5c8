/* Two slots of flash in memory, whose power can be cut, for cffi; and what one call cannot say. */
#include <stdlib.h>
#include <string.h>

#include "ein_boot.h"
#include "ein_sha512.h"
#include "ein_slots_port.h"
#include "flash_host.h"

#define SLOT_BYTES 0x20000u

uint8_t ein_host_slots[EIN_SLOTS][SLOT_BYTES];
uint32_t ein_host_slots_running = EIN_SLOTS;

static uint8_t *place(unsigned slot, uint32_t offset, size_t n)
{
    if (slot >= EIN_SLOTS || offset % 4 != 0 || offset + n > SLOT_BYTES) {
        abort();
    }
    return ein_host_slots[slot] + offset;
}

uint32_t ein_slots_port_address(unsigned slot)
{
    return 0x08020000u + slot * SLOT_BYTES;
}

unsigned ein_slots_port_running(void)
{
    return ein_host_slots_running;
}

bool ein_slots_port_read(unsigned slot, uint32_t offset, void *bytes, size_t n)
{
    return ein_host_flash_read(place(slot, offset, n), bytes, n);
}

bool ein_slots_port_erase(unsigned slot)
{
    return ein_host_flash_erase(place(slot, 0, SLOT_BYTES), SLOT_BYTES);
}

bool ein_slots_port_write(unsigned slot, uint32_t offset, const void *bytes, size_t n)
{
    return ein_host_flash_write(place(slot, offset, n), bytes, n);
}

void ein_host_sha512(const uint8_t *bytes, size_t n, size_t split, uint8_t digest[64]);

void ein_host_sha512(const uint8_t *bytes, size_t n, size_t split, uint8_t digest[64])
{
    ein_sha512_t sha;
    ein_sha512_init(&sha);
    ein_sha512_update(&sha, bytes, split);
    ein_sha512_update(&sha, bytes + split, n - split);
    ein_sha512_final(&sha, digest);
}
