/* The port of a process: descriptors that main.c has opened.
 *
 * One connection at a time; the program lives on when the peer goes, as a board does. A reset runs
 * the program anew on the same connection. The counter is a monotonic clock in nanoseconds: of use
 * for comparing runs on one machine, and never called instructions.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ein_pipeline.h"
#include "host.h"

#define WRITE_TIMEOUT_MS 100
#define IDLE_MS 10
#define NS_PER_S 1000000000u

#ifndef EIN_BUILD
#define EIN_BUILD ""
#endif

#ifdef EIN_DEVICE
#include "ein_device_spec.h"
#define RING_SAMPLES                                                                               \
    (EIN_PIPELINE_RATE_HZ * (EIN_DEVICE_RING_ERASE_MS + EIN_DEVICE_RING_TURN_MS) / 1000u)
#define EIN_HOST_BOARD "host_device"
#else
#define EIN_HOST_BOARD "host"
#endif

static uint64_t adc_start_ns, adc_taken;

static bool wait_for(int fd, short events, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = events};
    return poll(&p, 1, timeout_ms) > 0;
}

static void set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        ein_host_die("no link");
    }
}

static void accept_peer(int timeout_ms)
{
    if (!wait_for(ein_host.listener, POLLIN, timeout_ms)) {
        return;
    }
    int fd = accept(ein_host.listener, NULL, NULL);
    if (fd < 0) {
        return;
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* saves time only: may fail */
    set_nonblocking(fd);
    ein_host_use(fd);
}

/* The peer has gone: wait for the next one, or end with the only one. */
static void hang_up(void)
{
    if (ein_host.listener < 0) {
        exit(0);
    }
    close(ein_host.in);
    ein_host.in = -1;
    ein_host.out = -1;
}

/* On the same connection, with all that is kept. */
static void restart(ein_reset_reason_t reason)
{
    char text[96];
    snprintf(text, sizeof(text), "%d %d %d %d %d %d %d %d", ein_host.listener, ein_host.in,
             ein_host.out, ein_host.slot, ein_host.keys, ein_host.slots, ein_host.log, (int)reason);
    setenv(EIN_HOST_RESET, text, 1);
    ein_host_watchdog_stop();
    execv("/proc/self/exe", ein_host.argv);
    ein_host_die("reset");
}

static void watchdog_expired(void)
{
    restart(EIN_RESET_WATCHDOG);
}

void ein_port_init(void)
{
    signal(SIGPIPE, SIG_IGN); /* a peer that goes shows as EPIPE */
    ein_host_watchdog_start(watchdog_expired);
    if (ein_host.listener >= 0) {
        /* The banner is for the first peer; a device whose button is pressed needs none. */
        while (ein_host.in < 0 && ein_host.script == NULL) {
            accept_peer(-1);
        }
    }
    if (ein_host.in >= 0) {
        set_nonblocking(ein_host.in);
        set_nonblocking(ein_host.out);
    }
}

void ein_port_info(ein_port_info_t *info)
{
    *info = (ein_port_info_t){
        .board = EIN_HOST_BOARD,
        .build = EIN_BUILD,
        .serial = ein_host.serial,
        .count_unit = EIN_COUNT_NANOSECONDS,
        .reset_reason = ein_host.reset_reason,
        .rx_buffer_bytes = 4096, /* the kernel keeps more */
        /* As the recorder of MIT-BIH: 12 bits, 200 counts per millivolt. */
        .adc_bits = 12,
        .adc_gain_lsb_per_mv = 200,
        .adc_rail_lo = -2048,
        .adc_rail_hi = 2047,
    };
    if (ein_host.front_end_describe != NULL) {
        ein_host.front_end_describe(info);
    }
}

size_t ein_port_read(uint8_t *bytes, size_t n)
{
    if (ein_host.in < 0) {
        return 0;
    }
    ssize_t got = read(ein_host.in, bytes, n);
    if (got > 0) {
        if (ein_host.end_after >= 0 && (ein_host.end_after -= (long)got) < 0) {
            exit(0);
        }
        return (size_t)got;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        hang_up();
    }
    return 0;
}

size_t ein_port_write(const uint8_t *bytes, size_t n)
{
    size_t sent = 0;
    while (sent < n && ein_host.out >= 0) {
        ssize_t now = write(ein_host.out, bytes + sent, n - sent);
        if (now > 0) {
            sent += (size_t)now;
        } else if (errno == EAGAIN) {
            if (!wait_for(ein_host.out, POLLOUT, WRITE_TIMEOUT_MS)) {
                break;
            }
        } else if (errno != EINTR) {
            hang_up();
        }
    }
    return sent;
}

uint32_t ein_port_count(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint32_t)((uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec);
}

void ein_port_poll(bool idle)
{
    ein_host_watchdog_feed();
    if (!idle) {
        return;
    }
    const int wait_ms = ein_host.fast ? 0 : IDLE_MS;
    if (ein_host.in < 0) {
        accept_peer(wait_ms);
    } else {
        wait_for(ein_host.in, POLLIN, wait_ms);
    }
    ein_host_pass_ns(NS_PER_S / EIN_PIPELINE_RATE_HZ);
}

static bool read_adc(int16_t *sample)
{
    uint8_t raw[2];
    if (fread(raw, sizeof(raw), 1, ein_host.adc) != 1) {
        if (!ein_host.adc_paced || fseek(ein_host.adc, 0, SEEK_SET) != 0 ||
            fread(raw, sizeof(raw), 1, ein_host.adc) != 1) {
            clearerr(ein_host.adc); /* a FIFO may have more later */
            return false;
        }
    }
    int32_t value = raw[0] | raw[1] << 8;
    *sample = (int16_t)(value >= 0x8000 ? value - 0x10000 : value);
    return true;
}

/* Since the first sample, by a clock of its own: --adc-ppm. */
static uint64_t adc_elapsed_ns(uint64_t now)
{
    const uint64_t elapsed = (now - adc_start_ns) * ein_host.adc_speed;
    return elapsed + (uint64_t)((int64_t)(elapsed / 1000000u) * ein_host.adc_ppm);
}

bool ein_port_adc(int16_t *sample, uint32_t *lost)
{
    *lost = 0;
    if (ein_host.front_end_adc != NULL) {
        return ein_host.front_end_adc(sample, lost);
    }
    if (ein_host.adc == NULL) {
        return false;
    }
    uint64_t now = ein_host_now_ns();
    if (adc_taken == 0) {
        adc_start_ns = now;
    }
#ifdef EIN_DEVICE
    /* A chip's ring is as long as an erase may take, and no longer. */
    const uint64_t there = adc_elapsed_ns(now) * EIN_PIPELINE_RATE_HZ / NS_PER_S;
    if (ein_host.fast && there > adc_taken + RING_SAMPLES) {
        *lost = (uint32_t)(there - adc_taken - RING_SAMPLES);
        adc_taken += *lost;
    }
#endif
    bool due = adc_elapsed_ns(now) * EIN_PIPELINE_RATE_HZ >= adc_taken * NS_PER_S;
    if ((ein_host.adc_paced && !due) || !read_adc(sample)) {
        return false;
    }
    adc_taken++;
    return true;
}

void ein_port_reset(void)
{
    restart(EIN_RESET_SOFTWARE);
}
