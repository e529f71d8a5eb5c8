/* How a program of an RP2040 board begins again, and why it began. */
#ifndef EIN_RESTART_H
#define EIN_RESTART_H

#include "ein_port.h"

void ein_restart(ein_reset_reason_t reason) __attribute__((noreturn));

/* Once, at the start. */
ein_reset_reason_t ein_restart_reason(void);

/* Starts the watchdog; feed it every 2 s at least. */
void ein_watchdog_start(void);
void ein_watchdog_feed(void);

#endif
