/* NUCLEO-F446RE: STM32F446RE at 168 MHz, USART2 on PA2 and PA3 to the ST-LINK's virtual COM port;
   the ST-LINK's 8 MHz clock comes in where a crystal would be. */
#ifndef EIN_BOARD_H
#define EIN_BOARD_H

#define EIN_BOARD_NAME "nucleo_f446re"
#define EIN_BOARD_CRYSTAL_HZ 8000000u
#define EIN_BOARD_CRYSTAL_BYPASS 1
#define EIN_BOARD_CORE_HZ 168000000u
#define EIN_BOARD_APB1_DIVIDER 4u /* 42 MHz of 45 */
#define EIN_BOARD_APB2_DIVIDER 2u /* 84 MHz of 90 */
#define EIN_BOARD_FLASH_WAIT_STATES 5u
#define EIN_BOARD_PWR_VOS (3u << 14)
#define EIN_BOARD_USART 2
#define EIN_BOARD_BAUD 460800u
#define EIN_BOARD_GAIN_LSB_PER_MV 200u

#endif
