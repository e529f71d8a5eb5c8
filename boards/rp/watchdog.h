/* The watchdog of the RP2040 and RP2350 boards, and why the program began. */
#ifndef EIN_WATCHDOG_H
#define EIN_WATCHDOG_H

#include "ein_port.h"

/* Once, at the start. */
ein_reset_reason_t ein_restart_reason(void);

/* Starts the watchdog; feed it every 2 s at least. */
void ein_watchdog_start(void);
void ein_watchdog_feed(void);

#endif
