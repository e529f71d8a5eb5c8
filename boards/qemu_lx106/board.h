/* An Xtensa LX106 on QEMU's `sim` machine: the older sibling of the ESP32's LX6, without its
   division and its windowed registers. */
#ifndef EIN_BOARD_H
#define EIN_BOARD_H

#define EIN_BOARD_NAME "qemu_lx106"
#define EIN_BOARD_GAIN_LSB_PER_MV 200u

#endif
