/* Direct boot (ESP32-C3's boot ROM, from revision 3 on): a flash that begins with these two words is
   mapped as it is, for instructions at 0x42000000 and for data at 0x3C000000, and entered behind
   them. */
    .section .start, "ax"
    .globl _start
    .word 0xAEDB041D
    .word 0xAEDB041D
_start:
#include "enter.inc"

/* An interrupt each (technical reference manual, 1.6); 0 is for exceptions. */
    .balign 256
    .option push
    .option norvc           /* each entry takes four bytes */
vectors:
    j ein_on_exception
    j ein_on_uart
    .rept 30
    j ein_on_exception
    .endr
    .option pop
