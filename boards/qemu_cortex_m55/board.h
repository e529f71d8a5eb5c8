/* A Cortex-M55 in Arm's MPS3 board with FPGA image AN547; all of it is Secure. */
#ifndef EIN_BOARD_H
#define EIN_BOARD_H

#define EIN_BOARD_NAME "qemu_cortex_m55"
#define EIN_BOARD_GAIN_LSB_PER_MV 200u
#define EIN_BOARD_CORE_HZ 32000000u
#define EIN_BOARD_UART 0x59303000u
#define EIN_BOARD_UART_IRQ 33
#define EIN_BOARD_FPGAIO 0x59302000u
/* So many instructions of 128 ns take so many ticks of the FPGA's counter. */
#define EIN_BOARD_INSTRUCTIONS 25u
#define EIN_BOARD_TICKS 64u

#endif
