/* QEMU's `virt` machine with one hart of Hazard3's instruction set, the RP2350's. */
#ifndef EIN_BOARD_H
#define EIN_BOARD_H

#define EIN_BOARD_NAME "qemu_hazard3"
#define EIN_BOARD_GAIN_LSB_PER_MV 200u

#endif
