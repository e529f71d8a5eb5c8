/* Entry, where the boot ROM enters an image without an entry point of its own: at the flash's begin
   (data sheet, 5.9.5.2). Trap vectors (3.8.4.2): 64 bytes, aligned to their size. */
    .section .vectors, "ax"
    .globl Reset_Handler
Reset_Handler:
#include "enter.inc"

    .balign 64
    .option push
    .option norvc           /* each entry takes four bytes */
vectors:
    .rept 11
    j ein_on_exception      /* 0: exceptions of all kinds; the others' interrupts stay off */
    .endr
    j ein_on_external       /* 11: every interrupt of the chip */
    .option pop
