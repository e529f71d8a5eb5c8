/* By the watchdog: a reset request of the core alone would leave the peripherals as they are. Its
   scratch registers 0 and 1, which the boot ROM leaves alone, keep what the program tells itself.
 */
#include "restart.h"

#include "chip.h"
#include "kept.h"
#include "serial.h"
#include "watchdog.h"

/* In scratch 0 while the program runs, so that a watchdog's reset is known to be its own. */
#define RUNS_MAGIC 0xECC0BEA7u

void ein_restart(ein_reset_reason_t reason)
{
    ein_serial_flush();
    REG(WATCHDOG, WATCHDOG_SCRATCH0) = EIN_KEPT_MAGIC;
    REG(WATCHDOG, WATCHDOG_SCRATCH1) = (uint32_t)reason;
    REG(PSM, PSM_WDSEL) = PSM_WDSEL_ALL;
    REG_SET(WATCHDOG, WATCHDOG_CTRL) = WATCHDOG_CTRL_TRIGGER;
    for (;;) {
    }
}

ein_reset_reason_t ein_restart_reason(void)
{
    const uint32_t why = REG(WATCHDOG, WATCHDOG_REASON);
    const uint32_t chip = REG(CHIP_RESET_BLOCK, CHIP_RESET);
    const uint32_t kept = REG(WATCHDOG, WATCHDOG_SCRATCH0);
    REG(WATCHDOG, WATCHDOG_SCRATCH0) = RUNS_MAGIC;
    if (why != 0 && kept == EIN_KEPT_MAGIC) {
        return (ein_reset_reason_t)REG(WATCHDOG, WATCHDOG_SCRATCH1);
    }
    if (why != 0 && kept == RUNS_MAGIC) {
        return (why & WATCHDOG_REASON_TIMER) != 0 ? EIN_RESET_WATCHDOG : EIN_RESET_SOFTWARE;
    }
    /* Power and the RUN pin clear the scratch registers. The boot ROM then may have used the
       watchdog itself: to change to the RISC-V cores, or behind a UF2 file. */
    if ((chip & CHIP_RESET_HAD_POR) != 0) {
        return EIN_RESET_POWER;
    }
    if ((chip & CHIP_RESET_HAD_RUN) != 0) {
        return EIN_RESET_PIN;
    }
    return why != 0 ? EIN_RESET_POWER : EIN_RESET_UNKNOWN;
}

void ein_watchdog_start(void)
{
    REG(PSM, PSM_WDSEL) = PSM_WDSEL_ALL;
    REG(WATCHDOG, WATCHDOG_LOAD) = WATCHDOG_LOAD_4S;
    REG(WATCHDOG, WATCHDOG_CTRL) = WATCHDOG_CTRL_ENABLE | WATCHDOG_CTRL_PAUSE;
}

void ein_watchdog_feed(void)
{
    REG(WATCHDOG, WATCHDOG_LOAD) = WATCHDOG_LOAD_4S;
}
