/* A Cortex-M33 in Arm's MPS2 board with FPGA image AN505, 20 MHz; all of it is Secure. */
#ifndef EIN_BOARD_H
#define EIN_BOARD_H

#define EIN_BOARD_NAME "qemu_cortex_m33"
#define EIN_BOARD_GAIN_LSB_PER_MV 200u
#define EIN_BOARD_CORE_HZ 20000000u
#define EIN_BOARD_UART 0x50200000u
#define EIN_BOARD_UART_IRQ 32
#define EIN_BOARD_FPGAIO 0x50302000u
/* So many instructions of 128 ns take so many ticks of the FPGA's counter. */
#define EIN_BOARD_INSTRUCTIONS 25u
#define EIN_BOARD_TICKS 64u

#endif
