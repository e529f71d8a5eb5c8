/* The process's descriptors, its time, and its way to end. */
#define _GNU_SOURCE
#include "host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

ein_host_t ein_host = {.listener = -1,
                       .in = -1,
                       .out = -1,
                       .slot = -1,
                       .slots = -1,
                       .keys = -1,
                       .log = -1,
                       .end_after = -1,
                       .log_cut = -1,
                       .power_cut = -1,
                       .adc_speed = 1,
                       .serial = "",
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

uint64_t ein_host_now_ns(void)
{
    if (ein_host.fast) {
        return ein_host.fast_ns;
    }
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void ein_host_pass_ns(uint64_t ns)
{
    if (ein_host.fast) {
        ein_host.fast_ns += ns;
    }
}
