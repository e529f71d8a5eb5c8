/* Registers of the ESP32-C3 that this port uses, by the chapters of its technical reference manual
   (version 1.1). */
#ifndef EIN_CHIP_H
#define EIN_CHIP_H

#include <stdint.h>

#define REG(base, offset) (*(volatile uint32_t *)((base) + (offset)))

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
#define UART_CONF0_8N1 (3u << 2 | 1u << 4)
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

/* 9: low-power management */
#define RTC_CNTL 0x60008000u
#define RTC_OPTIONS0 0x0u
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
#define TIMG_WDT_RESETS_SYSTEM (1u << 31 | 3u << 29 | 1u << 22)
#define TIMG_WDT_PRESCALE 0x4Cu
#define TIMG_WDT_STAGE0 0x50u
#define TIMG_WDT_FEED 0x60u
#define TIMG_WDT_PROTECT 0x64u

/* 6: system registers */
#define SYSTEM 0x600C0000u
#define SYSTEM_SYSCLK 0x58u
#define SYSTEM_SYSCLK_XTAL 0u /* undivided */
#define XTAL_HZ 40000000u

/* 8: interrupt matrix */
#define INTERRUPTS 0x600C2000u
#define INTERRUPT_UART_MAP 0x54u
#define INTERRUPT_ENABLE 0x104u
#define INTERRUPT_PRIORITY(n) (0x114u + 4u * (n))
#define INTERRUPT_THRESHOLD 0x194u

/* 4: the factory's MAC address */
#define EFUSE 0x60008800u
#define EFUSE_MAC_LOW 0x44u
#define EFUSE_MAC_HIGH 0x48u

#endif
