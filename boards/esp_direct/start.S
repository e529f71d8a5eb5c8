/* Direct boot (ESP32-C3's boot ROM, from revision 3 on): a flash that begins with these two words of
   magic is mapped as it is, for instructions at 0x42000000 and for data at 0x3C000000, and entered
   behind them. */
    .section .start, "ax"
    .globl _start
    .word 0xAEDB041D
    .word 0xAEDB041D
_start:
#include "enter.inc"

/* An interrupt each (technical reference manual, 1.6); 0 is for exceptions. In RAM, as what the
   interrupts do is (interrupts.h); exceptions go on in flash, which is too far for a branch. */
    .section .vectors, "ax"
    .balign 256
    .option push
    .option norvc           /* each entry takes four bytes */
vectors:
    j exception
    j ein_on_uart
    j ein_on_stream
    j ein_on_wake
    .rept 28
    j exception
    .endr
    .option pop
exception:
    tail ein_on_exception   /* t1 is lost: nobody comes back */
