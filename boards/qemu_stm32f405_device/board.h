/* The STM32F405 as a device: the same chip and pins, and those of front end, button, LED, buzzer
   and battery (pins.h). */
#ifndef EIN_DEVICE_BOARD_H
#define EIN_DEVICE_BOARD_H

#include "../qemu_stm32f405/board.h"

#undef EIN_BOARD_NAME
#define EIN_BOARD_NAME "qemu_stm32f405_device"
#define EIN_BOARD_RNG 1 /* the chip's; QEMU has none */
#define EIN_BOARD_SECOND_SLOT 1

/* Tried in this order; an image has one part of those on SPI (firmware/platformio.ini). */
#ifndef EIN_BOARD_SPI_PART
#define EIN_BOARD_SPI_PART ein_ads1292r
#endif
#define EIN_BOARD_FRONT_ENDS &EIN_BOARD_SPI_PART, &ein_ad8232
#define EIN_BOARD_ADC_CHANNEL 1u /* PA1 */
#define EIN_BOARD_PIN_CS PB(12u)
#define EIN_BOARD_PIN_READY PB(8u)
#define EIN_BOARD_PIN_FRONT_END_RESET PB(9u)
#define EIN_BOARD_PIN_LEAD_P PB(8u) /* an AD8232 has no data-ready line */
#define EIN_BOARD_PIN_LEAD_N PB(5u)

#define EIN_BOARD_PIN_BUTTON PB(0u)
#define EIN_BOARD_PIN_LED PB(1u)
#define EIN_BOARD_PIN_PIEZO PB(4u)   /* TIM3, channel 1 */
#define EIN_BOARD_BATTERY_CHANNEL 4u /* PA4 */

#endif
