/* The host as a bare target: nothing is counted. */
#include <stdio.h>
#include <stdlib.h>

#include "bare.h"

void bare_put(char c)
{
    putchar(c);
}

uint32_t bare_count(void)
{
    return 0;
}

void bare_exit(void)
{
    exit(0);
}
