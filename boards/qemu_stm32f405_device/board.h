/* The STM32F405 as a device: the same chip and pins, and those of button, LED, buzzer and battery.
 */
#ifndef EIN_DEVICE_BOARD_H
#define EIN_DEVICE_BOARD_H

#include "../qemu_stm32f405/board.h"

#undef EIN_BOARD_NAME
#define EIN_BOARD_NAME "qemu_stm32f405_device"
#define EIN_BOARD_RNG 1 /* the chip's; QEMU has none */
#define EIN_BOARD_SECOND_SLOT 1

#endif
