/* STM32F405RG at 168 MHz, USART1 on PA9 (TX) and PA10 (RX). QEMU's netduinoplus2 is this chip; on a
   board of silicon the crystal's frequency may have to be changed. */
#ifndef EIN_BOARD_H
#define EIN_BOARD_H

#define EIN_BOARD_NAME "qemu_stm32f405"
#define EIN_BOARD_CRYSTAL_HZ 8000000u
#define EIN_BOARD_CRYSTAL_BYPASS 0
#define EIN_BOARD_CORE_HZ 168000000u
#define EIN_BOARD_APB1_DIVIDER 4u /* 42 MHz */
#define EIN_BOARD_APB2_DIVIDER 2u /* 84 MHz */
#define EIN_BOARD_FLASH_WAIT_STATES 5u
#define EIN_BOARD_PWR_VOS (1u << 14)
#define EIN_BOARD_USART 1
#define EIN_BOARD_BAUD 115200u
#define EIN_BOARD_GAIN_LSB_PER_MV 200u

#endif
