/* What the files of this port share. */
#ifndef EIN_PORT_STM32F4_H
#define EIN_PORT_STM32F4_H

#include "ein_port.h"

/* Resets the chip; the next start reports the reason. */
void ein_port_restart(ein_reset_reason_t reason) __attribute__((noreturn));

#endif
