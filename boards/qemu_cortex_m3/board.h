/* A Cortex-M3 in Arm's MPS2 board with FPGA image AN385, 25 MHz. */
#ifndef EIN_BOARD_H
#define EIN_BOARD_H

#define EIN_BOARD_NAME "qemu_cortex_m3"
#define EIN_BOARD_GAIN_LSB_PER_MV 200u
#define EIN_BOARD_CORE_HZ 25000000u
#define EIN_BOARD_UART 0x40004000u
#define EIN_BOARD_UART_IRQ 0
#define EIN_BOARD_FPGAIO 0x40028000u
/* So many instructions of 128 ns take so many ticks of the FPGA's counter. */
#define EIN_BOARD_INSTRUCTIONS 5u
#define EIN_BOARD_TICKS 16u

#endif
