/* A Raspberry Pi Pico as rp2040js emulates it: the Pico's sources under another name. */
#ifndef EIN_BOARD_H
#define EIN_BOARD_H

#define EIN_BOARD_NAME "rp2040js_pico"
#define EIN_BOARD_BAUD 460800u
#define EIN_BOARD_GAIN_LSB_PER_MV 200u

#endif
