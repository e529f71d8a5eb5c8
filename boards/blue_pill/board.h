/* Blue Pill: STM32F103C8 at 72 MHz from its 8 MHz crystal, USART1 on PA9 (TX) and PA10 (RX) to a
   3.3 V USB serial adapter. */
#ifndef EIN_BOARD_H
#define EIN_BOARD_H

#define EIN_BOARD_NAME "blue_pill"
#define EIN_BOARD_BAUD 460800u
#define EIN_BOARD_GAIN_LSB_PER_MV 200u

#endif
