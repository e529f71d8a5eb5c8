/* The process's descriptors, and its way to end. */
#include "host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

ein_host_t ein_host = {.listener = -1,
                       .in = -1,
                       .out = -1,
                       .slot = -1,
                       .keys = -1,
                       .power_cut = -1,
                       .reset_reason = EIN_RESET_POWER};

void ein_host_die(const char *what)
{
    fprintf(stderr, "einthoven-host: %s: %s\n", what, strerror(errno));
    exit(1);
}

void ein_host_use(int fd)
{
    ein_host.in = fd;
    ein_host.out = fd;
}
