/* How a program begins again. */
#ifndef EIN_RESTART_H
#define EIN_RESTART_H

#include "ein_port.h"

/* What was sent leaves first, and the next start knows `reason`. */
void ein_restart(ein_reset_reason_t reason) __attribute__((noreturn));

#endif
