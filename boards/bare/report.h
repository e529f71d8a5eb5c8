/* Text of a fault report: no stdio, and little stack, because the stack may be the fault. */
#ifndef EIN_REPORT_H
#define EIN_REPORT_H

#include <stdint.h>

#include "memory.h"

static inline char *ein_put_text(char *to, const char *text)
{
    while (*text != '\0') {
        *to++ = *text++;
    }
    return to;
}

static inline char *ein_put_register(char *to, const char *name, uint32_t value)
{
    to = ein_put_text(to, name);
    for (int shift = 28; shift >= 0; shift -= 4) {
        *to++ = "0123456789abcdef"[value >> shift & 15u];
    }
    return to;
}

/* Where a Cortex-M was when the fault came. frame: what the core pushed: r0-r3, r12, lr, pc, psr;
   after a stack overflow it could not be pushed. */
static inline char *ein_put_frame(char *to, const uint32_t *frame)
{
    if (frame >= _stack_bottom && frame + 8 <= _stack_top) {
        to = ein_put_register(to, " lr=", frame[5]);
        return ein_put_register(to, " pc=", frame[6]);
    }
    return ein_put_text(to, " stack overflow");
}

#endif
