/* Two places in flash for firmware images, as a board provides them to the boot stage and to a
   device's own update.

   A slot begins where a sector does, and nothing else lies in its sectors. After an erase all bytes
   are 0xFF; a word is written once after it, at an offset that is a multiple of 4; what a call has
   not finished when the power goes is undefined. An erase may take 2 s, in which received bytes may
   be lost; the port feeds the watchdog. */
#ifndef EIN_SLOTS_PORT_H
#define EIN_SLOTS_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EIN_SLOTS 2u

/* Where a slot begins; 0: the board has no such slot. */
uint32_t ein_slots_port_address(unsigned slot);

/* The slot that this program runs from; EIN_SLOTS: from none, there is no boot stage below it. */
unsigned ein_slots_port_running(void);

bool ein_slots_port_read(unsigned slot, uint32_t offset, void *bytes, size_t n);
bool ein_slots_port_erase(unsigned slot);
bool ein_slots_port_write(unsigned slot, uint32_t offset, const void *bytes, size_t n);

#endif
