/* QEMU's `virt` machine with one rv32imc hart, the ESP32-C3's instruction set. */
#ifndef EIN_BOARD_H
#define EIN_BOARD_H

#define EIN_BOARD_NAME "qemu_rv32"
#define EIN_BOARD_GAIN_LSB_PER_MV 200u

#endif
