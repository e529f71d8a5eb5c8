/* The ESP32-C3's watchdogs, and why the program began. */
#ifndef EIN_WATCHDOG_H
#define EIN_WATCHDOG_H

#include "ein_port.h"

/* Once, at the start. */
ein_reset_reason_t ein_restart_reason(void);

/* Ends those that the ROM leaves running, which end a program that does not know of them, and
   starts timer group 0's: 4 s, by the crystal. */
void ein_watchdog_start(void);
void ein_watchdog_feed(void);

#endif
