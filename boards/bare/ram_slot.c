/* The slot is RAM behind the program's: it survives a reset, and no end of the emulator. */
#include <string.h>

#include "ein_port.h"

extern uint8_t _slot[]; /* by the linker script */

bool ein_port_slot_read(uint32_t offset, void *bytes, size_t n)
{
    memcpy(bytes, _slot + offset, n);
    return true;
}

bool ein_port_slot_erase(void)
{
    memset(_slot, 0xFF, EIN_SLOT_BYTES);
    return true;
}

bool ein_port_slot_write(uint32_t offset, const void *bytes, size_t n)
{
    memcpy(_slot + offset, bytes, n);
    return true;
}
