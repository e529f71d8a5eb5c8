/* What a board provides beside ein_port.h so that its memory can be tried from the host (message
 * `memory`): where flash and RAM are. A board that does is built with -D EIN_MEMORY; one that does
 * not, answers that it does not know the message. boards/bare/memory_port.c is for ports with a
 * linker script of this repository.
 */
#ifndef EIN_MEMORY_PORT_H
#define EIN_MEMORY_PORT_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *image; /* as it lies in flash, without what the build puts behind it */
    uint32_t image_bytes; /* 0: what runs is no image in flash */
    volatile uint32_t *ram;
    size_t ram_words;
} ein_memory_t;

void ein_memory_port(ein_memory_t *memory);

/* Masks interrupts, or lets them come again. Called in pairs, never nested. */
void ein_memory_port_mask(int masked);

#endif
