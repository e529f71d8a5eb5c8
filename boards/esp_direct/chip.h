/* Registers of the ESP32-C3 that this port uses, by the chapters of its technical reference manual
   (version 1.1); those of the analogue parts, which it leaves out, by ESP-IDF 5's soc headers. */
#ifndef EIN_CHIP_H
#define EIN_CHIP_H

#include <stdint.h>

#define REG(base, offset) (*(volatile uint32_t *)((base) + (offset)))
#define XTAL_HZ 40000000u

/* 26: UART */
#define UART0 0x60000000u
#define UART_FIFO 0x0u
#define UART_INT_ST 0x8u
#define UART_INT_ENA 0xCu
#define UART_INT_CLR 0x10u
#define UART_INT_RX_FULL (1u << 0)
#define UART_INT_RX_OVERFLOW (1u << 4)
#define UART_INT_RX_TIMEOUT (1u << 8)
#define UART_CLKDIV 0x14u
#define UART_CLKDIV_OF(whole, sixteenths) ((sixteenths) << 20 | (whole))
#define UART_STATUS 0x1Cu
#define UART_STATUS_RX(status) ((status)&0x3FFu)
#define UART_STATUS_TX(status) ((status) >> 16 & 0x3FFu)
#define UART_FIFO_BYTES 128u
#define UART_CONF0 0x20u
#define UART_CONF0_8N1 (1u << 28 | 3u << 2 | 1u << 4) /* with the clock of the FIFOs' memory */
#define UART_CONF0_RX_RESET (1u << 17)
#define UART_CONF1 0x24u
#define UART_CONF1_RX_FULL_AT(n) (n)
#define UART_CONF1_RX_TIMEOUT (1u << 21)
#define UART_FSM_STATUS 0x6Cu
#define UART_FSM_TX(status) ((status) >> 4 & 0xFu)
#define UART_CLK_CONF 0x78u
#define UART_CLK_CONF_XTAL (3u << 20 | 1u << 22 | 1u << 24 | 1u << 25)
#define UART_ID 0x80u
#define UART_ID_UPDATE (1u << 31)

/* 5: pins */
#define GPIO 0x60004000u
#define GPIO_ENABLE_CLEAR 0x28u
#define IO_MUX 0x60009000u
#define IO_MUX_PIN(n) (4u + 4u * (n))
#define IO_MUX_ANALOGUE (1u << 12) /* a GPIO, neither input buffer nor pulls */

/* 9: low-power management */
#define RTC_CNTL 0x60008000u
#define RTC_OPTIONS0 0x0u
#define RTC_OPTIONS0_PLL_OFF (1u << 6 | 1u << 8 | 1u << 10) /* its I2C, the PLL's I2C, the PLL */
#define RTC_OPTIONS0_RESET (1u << 31)
#define RTC_RESET_STATE 0x38u
#define RTC_RESET_CAUSE(state) ((state)&0x3Fu)
#define RTC_STORE0 0x50u
#define RTC_STORE1 0x54u
#define RTC_WDT_CONFIG0 0x90u
#define RTC_WDT_PROTECT 0xA8u
#define RTC_SWD_CONF 0xACu
#define RTC_SWD_CONF_FEEDS_ITSELF (1u << 31)
#define RTC_SWD_PROTECT 0xB0u
#define RTC_SWD_KEY 0x8F1D312Au

/* 12: watchdogs */
#define WDT_KEY 0x50D83AA1u
#define TIMG0 0x6001F000u
#define TIMG_WDT_CONFIG0 0x48u
#define TIMG_WDT_UPDATE (1u << 22)
#define TIMG_WDT_RESETS_SYSTEM                                                                     \
    (1u << 31 | 3u << 29 | TIMG_WDT_UPDATE | 1u << 21) /* from the crystal */
#define TIMG_WDT_PRESCALE 0x4Cu
#define TIMG_WDT_STAGE0 0x50u
#define TIMG_WDT_FEED 0x60u
#define TIMG_WDT_PROTECT 0x64u

/* 10: system timer, 16 MHz from the crystal */
#define SYSTIMER 0x60023000u
#define SYSTIMER_HZ 16000000u
#define SYSTIMER_CONF 0x0u
#define SYSTIMER_CONF_TARGET(n) (1u << (24u - (n)))
#define SYSTIMER_TARGET_CONF(n) (0x34u + 4u * (n))
#define SYSTIMER_TARGET_PERIODIC (1u << 30)
#define SYSTIMER_COMP_LOAD(n) (0x50u + 4u * (n))
#define SYSTIMER_INT_ENA 0x64u
#define SYSTIMER_INT_CLR 0x6Cu

/* 6: system registers */
#define SYSTEM 0x600C0000u
#define SYSTEM_CPU_PER_CONF 0x8u
#define SYSTEM_CPU_160MHZ (1u << 0 | 1u << 2) /* of a PLL of 480 MHz; sleep stops the clock */
#define SYSTEM_PERIP_CLK_EN0 0x10u
#define SYSTEM_PERIP_RST_EN0 0x18u
#define SYSTEM_SARADC (1u << 28)
#define SYSTEM_SYSCLK 0x58u
#define SYSTEM_SYSCLK_XTAL 0u /* undivided */
#define SYSTEM_SYSCLK_PLL (1u << 10)

/* 8: interrupt matrix */
#define INTERRUPTS 0x600C2000u
#define INTERRUPT_MAP(source) (4u * (source))
#define INTERRUPT_SOURCE_UART0 21u
#define INTERRUPT_SOURCE_SYSTIMER(target) (37u + (target))
#define INTERRUPT_ENABLE 0x104u
#define INTERRUPT_PRIORITY(n) (0x114u + 4u * (n))
#define INTERRUPT_THRESHOLD 0x194u

/* 4: the factory's MAC address, and its calibration of the ADC */
#define EFUSE 0x60008800u
#define EFUSE_MAC_LOW 0x44u
#define EFUSE_MAC_HIGH 0x48u
#define EFUSE_SYS_PART1(word) (0x5Cu + 4u * (word))

/* 34: SAR ADC */
#define SARADC 0x60040000u
#define SARADC_CTRL 0x0u
#define SARADC_CTRL_ON (3u << 27 | 1u << 6) /* powered, its clock is there */
#define SARADC_CTRL_DIVIDER(n) ((n) << 7)
#define SARADC_ONETIME 0x20u
#define SARADC_ONETIME_START (1u << 29)
#define SARADC_ONETIME_ADC1(channel, attenuation) (1u << 31 | (channel) << 25 | (attenuation) << 23)
#define SARADC_DATA1 0x2Cu
#define SARADC_INT_RAW 0x44u
#define SARADC_INT_CLR 0x4Cu
#define SARADC_INT_DONE1 (1u << 31)
#define SARADC_CLKM 0x54u
#define SARADC_CLKM_APB(divider) (2u << 21 | 1u << 20 | ((divider)-1u))

/* soc/regi2c_defs.h: the bus to the analogue parts */
#define ANALOGUE 0x6000E000u
#define ANALOGUE_CONF0 0x40u
#define ANALOGUE_CONF0_PLL_STOPS (1u << 2)
#define ANALOGUE_CONF0_PLL_CALIBRATES (1u << 3)
#define ANALOGUE_CONFIG 0x44u
#define ANALOGUE_CONFIG_PLL_OFF (1u << 17)
#define ANALOGUE_CONFIG_SAR_OFF (1u << 18)
#define ANALOGUE_CONFIG2 0x48u
#define ANALOGUE_CONFIG2_SAR_ON (1u << 16)

#endif
