#include "restart.h"

#include "kept.h"
#include "serial.h"
#include "stm32f4.h"

void ein_restart(ein_reset_reason_t reason)
{
    ein_serial_flush();
    _kept = (ein_kept_t){.magic = EIN_KEPT_MAGIC, .reason = (uint32_t)reason};
    SCB->AIRCR = SCB_AIRCR_RESET;
    for (;;) {
    }
}
