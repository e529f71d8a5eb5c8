/* WeAct Black Pill: STM32F411CE at 96 MHz from its 25 MHz crystal, USART1 on PA9 (TX) and PA10 (RX)
   to a 3.3 V USB serial adapter. */
#ifndef EIN_BOARD_H
#define EIN_BOARD_H

#define EIN_BOARD_NAME "blackpill_f411ce"
#define EIN_BOARD_CRYSTAL_HZ 25000000u
#define EIN_BOARD_CRYSTAL_BYPASS 0
#define EIN_BOARD_CORE_HZ 96000000u
#define EIN_BOARD_APB1_DIVIDER 2u /* 48 MHz of 50 */
#define EIN_BOARD_APB2_DIVIDER 1u /* 96 MHz of 100 */
#define EIN_BOARD_FLASH_WAIT_STATES 3u
#define EIN_BOARD_PWR_VOS (3u << 14)
#define EIN_BOARD_USART 1
#define EIN_BOARD_BAUD 460800u
#define EIN_BOARD_GAIN_LSB_PER_MV 200u

#endif
