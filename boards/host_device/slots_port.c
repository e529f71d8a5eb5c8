/* firmware/keys/ein_slots_port.h for a process: a file (--slots) stands for the two slots. At the
 * start the boot stage's decision is made on it, and the process takes itself for what it starts.
 */
#define _GNU_SOURCE
#include "ein_slots_port.h"

#include <string.h>
#include <unistd.h>

#include "ein_boot.h"
#include "host.h"

#define SLOT_BYTES 0x20000u
#define FIRST_ADDRESS 0x08020000u

uint32_t ein_slots_port_address(unsigned slot)
{
    return ein_host.slots < 0 ? 0 : FIRST_ADDRESS + slot * SLOT_BYTES;
}

unsigned ein_slots_port_running(void)
{
    static const uint8_t no_key[32];
    static bool decided;
    static unsigned running = EIN_SLOTS;
    if (!decided) {
        decided = true;
        running = ein_boot_choose(no_key, "host_device");
    }
    return running;
}

bool ein_slots_port_read(unsigned slot, uint32_t offset, void *bytes, size_t n)
{
    memset(bytes, 0xFF, n); /* what was never written */
    return pread(ein_host.slots, bytes, n, (off_t)(slot * SLOT_BYTES + offset)) >= 0;
}

bool ein_slots_port_erase(unsigned slot)
{
    uint8_t erased[4096];
    memset(erased, 0xFF, sizeof(erased));
    for (uint32_t at = 0; at < SLOT_BYTES; at += (uint32_t)sizeof(erased)) {
        if (!ein_slots_port_write(slot, at, erased, sizeof(erased))) {
            return false;
        }
    }
    return true;
}

bool ein_slots_port_write(unsigned slot, uint32_t offset, const void *bytes, size_t n)
{
    return pwrite(ein_host.slots, bytes, n, (off_t)(slot * SLOT_BYTES + offset)) == (ssize_t)n;
}
