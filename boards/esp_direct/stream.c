#include "stream.h"

#include "board.h"
#include "chip.h"
#include "ein_pipeline.h"
#include "interrupts.h"
#include "rom.h"

#define CHANNEL EIN_BOARD_ADC_PIN /* GPIO0 to 4 are ADC1's channels 0 to 4 */
#define ATTENUATION 3u            /* 11 dB: up to 2.8 V */
#define CONTROLLER_DIVIDER 8u /* 10 MHz from 80: the start bit needs no longer hold than it has */
#define SAR_DIVIDER 4u
#define TICK_HZ (EIN_PIPELINE_RATE_HZ * EIN_OVERSAMPLING)
#define TICKS ((SYSTIMER_HZ + TICK_HZ / 2u) / TICK_HZ)
#define SAR 0x69u /* I2C_SAR_ADC, on host 0 */
#define SAR_HOST 0u

/* The factory's offset at this attenuation, where the chip has one (ESP-IDF's
   esp_efuse_rtc_calib.c: block 2, version at bit 128, code at bit 178). */
static void calibrate(void)
{
    REG(ANALOGUE, ANALOGUE_CONFIG) = REG(ANALOGUE, ANALOGUE_CONFIG) & ~ANALOGUE_CONFIG_SAR_OFF;
    REG(ANALOGUE, ANALOGUE_CONFIG2) = REG(ANALOGUE, ANALOGUE_CONFIG2) | ANALOGUE_CONFIG2_SAR_ON;
    _rom_i2c_write_bits(SAR, SAR_HOST, 2, 6, 4, 1); /* reference */
    if ((REG(EFUSE, EFUSE_SYS_PART1(4u)) & 7u) == 1u) {
        const uint32_t code = (REG(EFUSE, EFUSE_SYS_PART1(5u)) >> 18 & 0x3FFu) + 1000u;
        _rom_i2c_write_bits(SAR, SAR_HOST, 1, 3, 0, (uint8_t)(code >> 8));
        _rom_i2c_write_bits(SAR, SAR_HOST, 0, 7, 0, (uint8_t)code);
    }
}

void ein_stream_init(void)
{
    const uint32_t setting = SARADC_ONETIME_ADC1(CHANNEL, ATTENUATION);
    REG(GPIO, GPIO_ENABLE_CLEAR) = 1u << EIN_BOARD_ADC_PIN;
    REG(IO_MUX, IO_MUX_PIN(EIN_BOARD_ADC_PIN)) = IO_MUX_ANALOGUE;
    REG(SYSTEM, SYSTEM_PERIP_CLK_EN0) = REG(SYSTEM, SYSTEM_PERIP_CLK_EN0) | SYSTEM_SARADC;
    REG(SYSTEM, SYSTEM_PERIP_RST_EN0) = REG(SYSTEM, SYSTEM_PERIP_RST_EN0) | SYSTEM_SARADC;
    REG(SYSTEM, SYSTEM_PERIP_RST_EN0) = REG(SYSTEM, SYSTEM_PERIP_RST_EN0) & ~SYSTEM_SARADC;
    REG(SARADC, SARADC_CTRL) = SARADC_CTRL_ON | SARADC_CTRL_DIVIDER(SAR_DIVIDER);
    REG(SARADC, SARADC_CLKM) = SARADC_CLKM_APB(CONTROLLER_DIVIDER);
    calibrate();
    REG(SARADC, SARADC_INT_CLR) = SARADC_INT_DONE1;
    REG(SARADC, SARADC_ONETIME) = setting;
    REG(SARADC, SARADC_ONETIME) = setting | SARADC_ONETIME_START;
    ein_period_start(EIN_TARGET_STREAM, TICKS, EIN_LINE_STREAM);
    REG(SARADC, SARADC_ONETIME) = setting;
}
