/* Text of a fault report: no stdio, and little stack, because the stack may be the fault. */
#ifndef EIN_REPORT_H
#define EIN_REPORT_H

#include <stdint.h>

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

#endif
