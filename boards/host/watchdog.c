/* A process's watchdog: a timer of the processor time that it takes, so that a busy machine starves
 * nobody, and a program that waits is not one that stands still.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <sys/time.h>

#include "host.h"

#define TICK_US 100000
#define UNFED_TICKS 4

static volatile sig_atomic_t unfed;
static void (*on_expired)(void);

static void on_tick(int number)
{
    (void)number;
    if (++unfed >= UNFED_TICKS) {
        on_expired();
    }
}

static void run(long tick_us)
{
    const struct timeval tick = {.tv_sec = tick_us / 1000000, .tv_usec = tick_us % 1000000};
    const struct itimerval timer = {tick, tick};
    setitimer(ITIMER_PROF, &timer, NULL);
}

void ein_host_watchdog_start(void (*expired)(void))
{
    on_expired = expired;
    /* Not deferred: a restart comes from within the handler, and keeps what is masked. */
    struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART | SA_NODEFER};
    sigaction(SIGPROF, &action, NULL);
    run(TICK_US);
}

void ein_host_watchdog_feed(void)
{
    unfed = 0;
}

void ein_host_watchdog_stop(void)
{
    run(0);
}
