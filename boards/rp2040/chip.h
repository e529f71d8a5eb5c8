/* Registers of the RP2040 that this port uses, by the sections of its data sheet (build 2023-06).
 */
#ifndef EIN_CHIP_H
#define EIN_CHIP_H

#include "core.h"

#define EIN_CORE_HZ 125000000u

#define REG(base, offset) (*(reg_t *)((base) + (offset)))
/* 2.1.2: the same register, but what is written is set or cleared. */
#define REG_SET(base, offset) REG((base) + 0x2000u, offset)
#define REG_CLEAR(base, offset) REG((base) + 0x3000u, offset)

/* 2.14.3 */
#define RESETS 0x4000C000u
#define RESETS_RESET 0x0u
#define RESETS_DONE 0x8u
#define RESET_ADC (1u << 0)
#define RESET_IO_BANK0 (1u << 5)
#define RESET_PADS_BANK0 (1u << 8)
#define RESET_PLL_SYS (1u << 12)
#define RESET_PLL_USB (1u << 13)
#define RESET_TIMER (1u << 21)
#define RESET_UART0 (1u << 22)

/* 2.15.7 */
#define CLOCKS 0x40008000u
#define CLK_REF_CTRL 0x30u
#define CLK_REF_SELECTED 0x38u
#define CLK_REF_XOSC 2u
#define CLK_SYS_CTRL 0x3Cu
#define CLK_SYS_SELECTED 0x44u
#define CLK_SYS_AUX 1u /* its auxiliary source 0 is PLL_SYS */
#define CLK_PERI_CTRL 0x48u
#define CLK_ADC_CTRL 0x60u
#define CLK_ENABLE (1u << 11) /* auxiliary source 0: clk_sys for PERI, PLL_USB for ADC */

/* 2.16.7 */
#define XOSC 0x40024000u
#define XOSC_CTRL 0x0u
#define XOSC_CTRL_ENABLE (0xFABu << 12 | 0xAA0u) /* 1 to 15 MHz */
#define XOSC_STATUS 0x4u
#define XOSC_STATUS_STABLE (1u << 31)
#define XOSC_STARTUP 0xCu

/* 2.18.4 */
#define PLL_SYS 0x40028000u
#define PLL_USB 0x4002C000u
#define PLL_CS 0x0u
#define PLL_CS_LOCK (1u << 31)
#define PLL_PWR 0x4u
#define PLL_PWR_PD (1u << 0)
#define PLL_PWR_POSTDIVPD (1u << 3)
#define PLL_PWR_VCOPD (1u << 5)
#define PLL_FBDIV 0x8u
#define PLL_PRIM 0xCu
#define PLL_PRIM_DIV(first, second) ((first) << 16 | (second) << 12)
#define PLL_SYS_DIVIDERS PLL_PRIM_DIV(6u, 2u)

/* 2.13.5: what a watchdog reset takes along. All but the oscillators. */
#define PSM 0x40010000u
#define PSM_WDSEL 0x8u
#define PSM_WDSEL_ALL 0x0001FFFCu

/* 4.7.6. By erratum E1 the counter goes down by two at each tick. */
#define WATCHDOG 0x40058000u
#define WATCHDOG_CTRL 0x0u
#define WATCHDOG_CTRL_TRIGGER (1u << 31)
#define WATCHDOG_CTRL_ENABLE (1u << 30)
#define WATCHDOG_CTRL_PAUSE (7u << 24)
#define WATCHDOG_LOAD 0x4u
#define WATCHDOG_LOAD_4S 8000000u
#define WATCHDOG_REASON 0x8u
#define WATCHDOG_REASON_TIMER (1u << 0)
#define WATCHDOG_REASON_FORCE (1u << 1)
#define WATCHDOG_SCRATCH0 0xCu
#define WATCHDOG_SCRATCH1 0x10u
#define WATCHDOG_TICK 0x2Cu
#define WATCHDOG_TICK_ENABLE (1u << 9)

/* 2.10.7 */
#define CHIP_RESET_BLOCK 0x40064000u
#define CHIP_RESET 0x8u
#define CHIP_RESET_HAD_POR (1u << 8)
#define CHIP_RESET_HAD_RUN (1u << 16)

/* 2.19.6 */
#define IO_BANK0 0x40014000u
#define GPIO_CTRL(pin) (8u * (pin) + 4u)
#define GPIO_FUNCTION_UART 2u
#define GPIO_FUNCTION_NONE 31u
#define IO_QSPI 0x40018000u
#define QSPI_SS_CTRL 0xCu
#define QSPI_SS_LOW (2u << 8)
#define QSPI_SS_HIGH (3u << 8)
#define PADS_BANK0 0x4001C000u
#define PAD(pin) (4u * (pin) + 4u)
#define PAD_INPUT (1u << 6)
#define PAD_PULL_UP (1u << 3)
#define PAD_OUTPUT_OFF (1u << 7)

/* 4.2.8 */
#define UART0 0x40034000u
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

/* 4.6.5 */
#define TIMER 0x40054000u
#define TIMER_ALARM(n) (0x10u + 4u * (n))
#define TIMER_ARMED 0x20u
#define TIMER_RAWL 0x28u
#define TIMER_INTR 0x34u
#define TIMER_INTE 0x38u

/* 4.9.6 */
#define ADC 0x4004C000u
#define ADC_CS 0x0u
#define ADC_CS_EN (1u << 0)
#define ADC_CS_START (1u << 2)
#define ADC_CS_READY (1u << 8)
#define ADC_CS_CHANNEL(n) ((n) << 12)
#define ADC_RESULT 0x4u

/* 4.10.13 */
#define SSI 0x18000000u
#define SSI_DR0 0x60u
#define SSI_SR 0x28u
#define SSI_SR_RX_THERE (1u << 3)

/* 2.3.2 */
#define IRQ_TIMER_0 0u
#define IRQ_TIMER_1 1u
#define IRQ_UART0 20u
#define IRQS 26u

/* The watchdog's divider makes the microseconds of the timer, too. */
static inline void chip_tick(uint32_t crystal_mhz)
{
    REG(WATCHDOG, WATCHDOG_TICK) = crystal_mhz | WATCHDOG_TICK_ENABLE;
}

#endif
