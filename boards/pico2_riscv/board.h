/* Raspberry Pi Pico 2 on its RISC-V cores: RP2350 at 150 MHz, 4 MB of flash, UART0 on GP0 (out) and
   GP1 (in). */
#ifndef EIN_BOARD_H
#define EIN_BOARD_H

#define EIN_BOARD_NAME "pico2_riscv"
#define EIN_BOARD_BAUD 460800u
#define EIN_BOARD_GAIN_LSB_PER_MV 200u

#endif
