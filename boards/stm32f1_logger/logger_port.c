/* firmware/logger/ein_logger_port.h for the STM32F1 boards. */
#include "ein_logger_port.h"

#include "stream.h"

uint32_t ein_logger_port_ms(void)
{
    return ein_stream_ms();
}
