/* Registers of the RP2350 that this port uses, by the sections of its data sheet (2024-08); most
   are the RP2040's at other addresses. */
#ifndef EIN_CHIP_H
#define EIN_CHIP_H

#include "core.h"

#define EIN_CORE_HZ 150000000u

#define REG(base, offset) (*(reg_t *)((base) + (offset)))
/* 2.1.3: the same register, but what is written is set or cleared. */
#define REG_SET(base, offset) REG((base) + 0x2000u, offset)
#define REG_CLEAR(base, offset) REG((base) + 0x3000u, offset)

/* 7.5.3 */
#define RESETS 0x40020000u
#define RESETS_RESET 0x0u
#define RESETS_DONE 0x8u
#define RESET_ADC (1u << 0)
#define RESET_IO_BANK0 (1u << 6)
#define RESET_PADS_BANK0 (1u << 9)
#define RESET_PLL_SYS (1u << 14)
#define RESET_PLL_USB (1u << 15)
#define RESET_TIMER (1u << 23)
#define RESET_UART0 (1u << 26)

/* 8.1.7 */
#define CLOCKS 0x40010000u
#define CLK_REF_CTRL 0x30u
#define CLK_REF_SELECTED 0x38u
#define CLK_REF_XOSC 2u
#define CLK_SYS_CTRL 0x3Cu
#define CLK_SYS_SELECTED 0x44u
#define CLK_SYS_AUX 1u /* its auxiliary source 0 is PLL_SYS */
#define CLK_PERI_CTRL 0x48u
#define CLK_ADC_CTRL 0x6Cu
#define CLK_ENABLE (1u << 11) /* auxiliary source 0: clk_sys for PERI, PLL_USB for ADC */

/* 8.2.7 */
#define XOSC 0x40048000u
#define XOSC_CTRL 0x0u
#define XOSC_CTRL_ENABLE (0xFABu << 12 | 0xAA0u) /* 1 to 15 MHz */
#define XOSC_STATUS 0x4u
#define XOSC_STATUS_STABLE (1u << 31)
#define XOSC_STARTUP 0xCu

/* 8.6.4 */
#define PLL_SYS 0x40050000u
#define PLL_USB 0x40058000u
#define PLL_CS 0x0u
#define PLL_CS_LOCK (1u << 31)
#define PLL_PWR 0x4u
#define PLL_PWR_PD (1u << 0)
#define PLL_PWR_POSTDIVPD (1u << 3)
#define PLL_PWR_VCOPD (1u << 5)
#define PLL_FBDIV 0x8u
#define PLL_PRIM 0xCu
#define PLL_PRIM_DIV(first, second) ((first) << 16 | (second) << 12)
#define PLL_SYS_DIVIDERS PLL_PRIM_DIV(5u, 2u)

/* 7.4.4: what a watchdog reset takes along. All but the oscillators. */
#define PSM 0x40018000u
#define PSM_WDSEL 0x8u
#define PSM_WDSEL_ALL 0x01FFFFF3u

/* 12.9.7 */
#define WATCHDOG 0x400D8000u
#define WATCHDOG_CTRL 0x0u
#define WATCHDOG_CTRL_TRIGGER (1u << 31)
#define WATCHDOG_CTRL_ENABLE (1u << 30)
#define WATCHDOG_CTRL_PAUSE (7u << 24)
#define WATCHDOG_LOAD 0x4u
#define WATCHDOG_LOAD_4S 4000000u
#define WATCHDOG_REASON 0x8u
#define WATCHDOG_REASON_TIMER (1u << 0)
#define WATCHDOG_REASON_FORCE (1u << 1)
#define WATCHDOG_SCRATCH0 0xCu
#define WATCHDOG_SCRATCH1 0x10u

/* 8.5.2: cycles of the crystal to a microsecond, for whom each. */
#define TICKS 0x40108000u
#define TICKS_CTRL 0x0u
#define TICKS_CTRL_ENABLE 1u
#define TICKS_CYCLES 0x4u
#define TICKS_TIMER0 0x18u
#define TICKS_WATCHDOG 0x30u

/* 6.4 */
#define CHIP_RESET_BLOCK 0x40100000u /* POWMAN */
#define CHIP_RESET 0x2Cu
#define CHIP_RESET_HAD_POR (1u << 16)
#define CHIP_RESET_HAD_RUN (1u << 18)

/* 9.11 */
#define IO_BANK0 0x40028000u
#define GPIO_CTRL(pin) (8u * (pin) + 4u)
#define GPIO_FUNCTION_UART 2u
#define GPIO_FUNCTION_NONE 31u
#define PADS_BANK0 0x40038000u
#define PAD(pin) (4u * (pin) + 4u)
#define PAD_INPUT (1u << 6)
#define PAD_PULL_UP (1u << 3)
#define PAD_OUTPUT_OFF (1u << 7)

/* 12.1.8 */
#define UART0 0x40070000u
#define UART_DR 0x0u
#define UART_DR_OVERRUN (1u << 11)
#define UART_FR 0x18u
#define UART_FR_BUSY (1u << 3)
#define UART_FR_RX_EMPTY (1u << 4)
#define UART_FR_TX_FULL (1u << 5)
#define UART_IBRD 0x24u
#define UART_FBRD 0x28u
#define UART_LCR 0x2Cu
#define UART_LCR_8BITS_FIFO (3u << 5 | 1u << 4)
#define UART_CR 0x30u
#define UART_CR_ON (1u << 9 | 1u << 8 | 1u << 0)
#define UART_IMSC 0x38u
#define UART_IMSC_RX (1u << 4 | 1u << 6) /* FIFO level, and time-out of what is below it */

/* 12.8.5 */
#define TIMER 0x400B0000u
#define TIMER_ALARM(n) (0x10u + 4u * (n))
#define TIMER_ARMED 0x20u
#define TIMER_RAWL 0x28u
#define TIMER_INTR 0x3Cu
#define TIMER_INTE 0x40u

/* 12.4.6 */
#define ADC 0x400A0000u
#define ADC_CS 0x0u
#define ADC_CS_EN (1u << 0)
#define ADC_CS_START (1u << 2)
#define ADC_CS_READY (1u << 8)
#define ADC_CS_CHANNEL(n) ((n) << 12)
#define ADC_RESULT 0x4u

/* 12.14.6: timing, format and command of the window's reading, a word each. */
#define QMI 0x400D0000u
#define QMI_M0(i) (0xCu + 4u * (i))
#define QMI_M0_WORDS 3u

/* 3.2 */
#define IRQ_TIMER_0 0u
#define IRQ_TIMER_1 1u
#define IRQ_UART0 33u
#define IRQS 52u

static inline void chip_tick(uint32_t crystal_mhz)
{
    REG(TICKS + TICKS_TIMER0, TICKS_CYCLES) = crystal_mhz;
    REG(TICKS + TICKS_TIMER0, TICKS_CTRL) = TICKS_CTRL_ENABLE;
    REG(TICKS + TICKS_WATCHDOG, TICKS_CYCLES) = crystal_mhz;
    REG(TICKS + TICKS_WATCHDOG, TICKS_CTRL) = TICKS_CTRL_ENABLE;
}

#endif
