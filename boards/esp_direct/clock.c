/* The boot ROM starts a program on the crystal, and leaves the PLL running: Cesanta's mdk, whose
   programs it starts without a boot loader, too, only selects it. That nobody promises, so the PLL
   is set up here as ESP-IDF does it (hal/esp32c3/clk_tree_ll.h, regi2c_ctrl_ll.h,
   port/esp32c3/rtc_clk.c): power, 480 MHz from the crystal's 40, calibration, then the core's
   switch. Its registers lie behind a bus of the chip's own, which the ROM's functions drive. No
   register tells whether it has locked; without it the core stands still, and the watchdog, which
   is started before, tries again. The peripherals' clock doubles with it, and the flash's with
   that. */
#include "clock.h"

#include "chip.h"
#include "rom.h"

#define PLL 0x66u /* I2C_BBPLL, on host 0 */
#define PLL_HOST 0u
#define COUNTS_CYCLES 1u

void ein_clock_init(void)
{
    __asm volatile("csrw 0x7E0, %0\n csrw 0x7E1, %0" ::"r"(COUNTS_CYCLES));
    REG(SYSTEM, SYSTEM_SYSCLK) = SYSTEM_SYSCLK_XTAL;
    REG(RTC_CNTL, RTC_OPTIONS0) = REG(RTC_CNTL, RTC_OPTIONS0) & ~RTC_OPTIONS0_PLL_OFF;
    REG(ANALOGUE, ANALOGUE_CONFIG) = REG(ANALOGUE, ANALOGUE_CONFIG) & ~ANALOGUE_CONFIG_PLL_OFF;
    REG(ANALOGUE, ANALOGUE_CONF0) =
        (REG(ANALOGUE, ANALOGUE_CONF0) & ~ANALOGUE_CONF0_PLL_STOPS) | ANALOGUE_CONF0_PLL_CALIBRATES;
    _rom_i2c_write(PLL, PLL_HOST, 4, 0x6B); /* for 480 MHz */
    _rom_i2c_write(PLL, PLL_HOST, 2, 0x50); /* charge pump 5, reference undivided */
    _rom_i2c_write(PLL, PLL_HOST, 3, 8);    /* (8 + 4) times 40 MHz */
    _rom_i2c_write_bits(PLL, PLL_HOST, 5, 2, 0, 0);
    _rom_i2c_write_bits(PLL, PLL_HOST, 5, 6, 4, 0);
    _rom_i2c_write(PLL, PLL_HOST, 6, 0x63); /* references 1 and 2, current 3 */
    _rom_i2c_write_bits(PLL, PLL_HOST, 9, 1, 0, 2);
    REG(SYSTEM, SYSTEM_CPU_PER_CONF) = SYSTEM_CPU_160MHZ;
    REG(SYSTEM, SYSTEM_SYSCLK) = SYSTEM_SYSCLK_PLL;
    _rom_cpu_mhz(EIN_CORE_HZ / 1000000u);
}
