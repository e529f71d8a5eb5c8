#include "clock.h"

#include "chip.h"

#define WAIT_POLLS 100000u
/* 1 ms at 12 MHz, in units of 256 periods (RP2040's data sheet, 2.16.3). */
#define XOSC_STARTUP_1MS 47u
#define CRYSTAL_MHZ 12u

uint32_t ein_micros(void)
{
    return REG(TIMER, TIMER_RAWL);
}

bool ein_wait_for(uint32_t base, uint32_t offset, uint32_t bits)
{
    for (uint32_t i = 0; i < WAIT_POLLS; i++) {
        if ((REG(base, offset) & bits) == bits) {
            return true;
        }
    }
    return false;
}

void ein_unreset(uint32_t bits)
{
    REG_CLEAR(RESETS, RESETS_RESET) = bits;
    (void)ein_wait_for(RESETS, RESETS_DONE, bits);
}

/* RP2040's data sheet, 2.18.2.1: divider and VCO first, the post-dividers when it has locked. */
static bool start_pll(uint32_t pll, uint32_t times, uint32_t dividers)
{
    REG(pll, PLL_CS) = 1u;
    REG(pll, PLL_FBDIV) = times;
    REG_CLEAR(pll, PLL_PWR) = PLL_PWR_PD | PLL_PWR_VCOPD;
    if (!ein_wait_for(pll, PLL_CS, PLL_CS_LOCK)) {
        return false;
    }
    REG(pll, PLL_PRIM) = dividers;
    REG_CLEAR(pll, PLL_PWR) = PLL_PWR_POSTDIVPD;
    return true;
}

/* A generator that is put on a source that does not run stands still, and the core with it. */
static void leave_the_ring(void)
{
    REG(XOSC, XOSC_STARTUP) = XOSC_STARTUP_1MS;
    REG(XOSC, XOSC_CTRL) = XOSC_CTRL_ENABLE;
    if (!ein_wait_for(XOSC, XOSC_STATUS, XOSC_STATUS_STABLE)) {
        return;
    }
    REG(CLOCKS, CLK_REF_CTRL) = CLK_REF_XOSC;
    (void)ein_wait_for(CLOCKS, CLK_REF_SELECTED, 1u << CLK_REF_XOSC);

    REG_SET(RESETS, RESETS_RESET) = RESET_PLL_SYS | RESET_PLL_USB;
    ein_unreset(RESET_PLL_SYS | RESET_PLL_USB);
    if (start_pll(PLL_SYS, 125, PLL_SYS_DIVIDERS)) { /* from 1500 MHz */
        REG(CLOCKS, CLK_SYS_CTRL) = CLK_SYS_AUX;
        (void)ein_wait_for(CLOCKS, CLK_SYS_SELECTED, 1u << CLK_SYS_AUX);
    }
    if (start_pll(PLL_USB, 100, PLL_PRIM_DIV(5u, 5u))) { /* 1200 MHz: 48 */
        REG(CLOCKS, CLK_ADC_CTRL) = CLK_ENABLE;
    }
}

void ein_clock_init(void)
{
    /* After a restart the core may still run from a PLL that is about to be reset. */
    REG_CLEAR(CLOCKS, CLK_SYS_CTRL) = CLK_SYS_AUX;
    (void)ein_wait_for(CLOCKS, CLK_SYS_SELECTED, 1u);
    leave_the_ring();
    REG(CLOCKS, CLK_PERI_CTRL) = CLK_ENABLE;

    chip_tick(CRYSTAL_MHZ); /* a microsecond */
    ein_unreset(RESET_TIMER | RESET_IO_BANK0 | RESET_PADS_BANK0);
}
