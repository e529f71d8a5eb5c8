/* RAM at the start, and the painted stack: with the symbols that the linker scripts define. */
#ifndef EIN_MEMORY_H
#define EIN_MEMORY_H

#include <stdint.h>

#define EIN_STACK_PAINT 0xE1471071u

extern uint32_t _stack_bottom[], _stack_top[], _data_load[], _data_start[], _data_end[],
    _bss_start[], _bss_end[];

/* Initial values, zeros, paint. Part of the start-up function, whose frame it must not paint: up to
   that, with some room to spare. */
__attribute__((always_inline)) static inline void ein_memory_init(void)
{
    const uint32_t *from = _data_load;
    for (uint32_t *to = _data_start; to < _data_end;) {
        *to++ = *from++;
    }
    for (uint32_t *to = _bss_start; to < _bss_end;) {
        *to++ = 0;
    }
    uint32_t *here = (uint32_t *)__builtin_frame_address(0) - 16;
    for (uint32_t *to = _stack_bottom; to < here;) {
        *to++ = EIN_STACK_PAINT;
    }
}

static inline uint32_t ein_stack_bytes(void)
{
    return (uint32_t)((const char *)_stack_top - (const char *)_stack_bottom);
}

/* The deepest use since the start. */
static inline uint32_t ein_stack_used_bytes(void)
{
    const uint32_t *painted = _stack_bottom;
    while (painted < _stack_top && *painted == EIN_STACK_PAINT) {
        painted++;
    }
    return (uint32_t)((const char *)_stack_top - (const char *)painted);
}

#endif
