/* What a board provides beside ein_port.h and ein_log_port.h to keep a log: the time. */
#ifndef EIN_LOGGER_PORT_H
#define EIN_LOGGER_PORT_H

#include <stdint.h>

/* Milliseconds since the start, asleep or not; wraps after 49 days. */
uint32_t ein_logger_port_ms(void);

#endif
