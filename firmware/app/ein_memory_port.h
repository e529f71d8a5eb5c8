/* What a board provides beside ein_port.h so that its memory can be tried from the host (message
 * `memory`): where flash and RAM are. A board that does is built with -D EIN_MEMORY; one that does
 * not, answers that it does not know the message. boards/bare/memory_port.c is for ports with a
 * linker script of this repository.
 */
#ifndef EIN_MEMORY_PORT_H
#define EIN_MEMORY_PORT_H

#include <stdint.h>

#define EIN_MEMORY_RAMS 2u

/* Each from its begin to behind its end, which are the same where there is none. */
typedef struct {
    const uint8_t *image, *image_end; /* as in flash, without what the build puts behind it */
    struct {
        volatile uint32_t *begin, *end;
    } ram[EIN_MEMORY_RAMS];
} ein_memory_t;

const ein_memory_t *ein_memory_port(void);

/* Masks interrupts, or lets them come again. Called in pairs, never nested. */
void ein_memory_port_mask(int masked);

#endif
