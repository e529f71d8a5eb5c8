/* The one way to start anew. */
#ifndef EIN_RESTART_H
#define EIN_RESTART_H

#include "ein_port.h"

/* Resets the chip, once what was sent has left; the next start reports the reason. */
void ein_restart(ein_reset_reason_t reason) __attribute__((noreturn));

#endif
