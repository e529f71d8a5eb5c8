/* What a board provides so that its key and its failures survive without power: four functions.

   Two pages of EIN_KEYS_PAGE_BYTES that are erased one by one. After an erase all bytes of a page
   are 0xFF; offsets and sizes are multiples of 4; a word is written once after it. What a call has
   not finished when the power goes is undefined, and may read differently twice: ein_keys_store.c
   checks what it reads. An erase may take 1 s (16 KB of an STM32F4: 0.5 s at most), in which
   received bytes may be lost; the port feeds the watchdog. It happens once in 64 boots or proofs.
   A board without such pages returns false from all: it then has no key, and is open to all. */
#ifndef EIN_KEYS_PORT_H
#define EIN_KEYS_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EIN_KEYS_PAGES 2u
/* Used of each page, whatever its size. */
#define EIN_KEYS_PAGE_BYTES 4096u

bool ein_keys_port_read(unsigned page, uint32_t offset, void *bytes, size_t n);
bool ein_keys_port_erase(unsigned page);
bool ein_keys_port_write(unsigned page, uint32_t offset, const void *bytes, size_t n);

/* Up to 32 bytes that an attacker cannot know, as many as there are: of a random number generator,
   noise of an ADC, a counter at the time when bytes arrived. Returns how many were put; 0 is
   allowed, since a challenge is also made from the key and a count that never repeats. */
size_t ein_keys_port_entropy(uint8_t bytes[32]);

#endif
