#include "restart.h"

#include "chip.h"
#include "kept.h"
#include "serial.h"
#include "watchdog.h"

#define CAUSE_POWER 0x01u
#define CAUSE_SOFTWARE 0x03u
#define CAUSE_WATCHDOG 0x07u
#define CAUSE_BROWN_OUT 0x0Fu
#define WATCHDOG_PRESCALE (XTAL_HZ / 1000u << 16) /* a millisecond */
#define WATCHDOG_MS 4000u

void ein_restart(ein_reset_reason_t reason)
{
    ein_serial_flush();
    REG(RTC_CNTL, RTC_STORE0) = EIN_KEPT_MAGIC;
    REG(RTC_CNTL, RTC_STORE1) = (uint32_t)reason;
    REG(RTC_CNTL, RTC_OPTIONS0) = REG(RTC_CNTL, RTC_OPTIONS0) | RTC_OPTIONS0_RESET;
    for (;;) {
    }
}

ein_reset_reason_t ein_restart_reason(void)
{
    const uint32_t kept = REG(RTC_CNTL, RTC_STORE0);
    REG(RTC_CNTL, RTC_STORE0) = 0;
    switch (RTC_RESET_CAUSE(REG(RTC_CNTL, RTC_RESET_STATE))) {
    case CAUSE_POWER:
    case CAUSE_BROWN_OUT:
        return EIN_RESET_POWER;
    case CAUSE_SOFTWARE:
        return kept == EIN_KEPT_MAGIC ? (ein_reset_reason_t)REG(RTC_CNTL, RTC_STORE1)
                                      : EIN_RESET_SOFTWARE;
    case CAUSE_WATCHDOG:
        return EIN_RESET_WATCHDOG;
    default:
        return EIN_RESET_UNKNOWN;
    }
}

void ein_watchdog_start(void)
{
    REG(RTC_CNTL, RTC_WDT_PROTECT) = WDT_KEY;
    REG(RTC_CNTL, RTC_WDT_CONFIG0) = 0;
    REG(RTC_CNTL, RTC_WDT_PROTECT) = 0;
    REG(RTC_CNTL, RTC_SWD_PROTECT) = RTC_SWD_KEY;
    REG(RTC_CNTL, RTC_SWD_CONF) = REG(RTC_CNTL, RTC_SWD_CONF) | RTC_SWD_CONF_FEEDS_ITSELF;
    REG(RTC_CNTL, RTC_SWD_PROTECT) = 0;

    REG(TIMG0, TIMG_WDT_PROTECT) = WDT_KEY;
    REG(TIMG0, TIMG_WDT_CONFIG0) = TIMG_WDT_UPDATE;
    REG(TIMG0, TIMG_WDT_PRESCALE) = WATCHDOG_PRESCALE;
    REG(TIMG0, TIMG_WDT_STAGE0) = WATCHDOG_MS;
    REG(TIMG0, TIMG_WDT_CONFIG0) = TIMG_WDT_RESETS_SYSTEM;
    REG(TIMG0, TIMG_WDT_FEED) = 1;
    REG(TIMG0, TIMG_WDT_PROTECT) = 0;
}

void ein_watchdog_feed(void)
{
    REG(TIMG0, TIMG_WDT_PROTECT) = WDT_KEY;
    REG(TIMG0, TIMG_WDT_FEED) = 1;
    REG(TIMG0, TIMG_WDT_PROTECT) = 0;
}
