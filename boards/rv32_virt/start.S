/* Entry and trap vectors (RISC-V privileged specification, mtvec in vectored mode). */
    .section .start, "ax"
    .globl _start
_start:
#include "enter.inc"

    .balign 64
    .option push
    .option norvc           /* each entry takes four bytes */
vectors:
    j ein_on_exception      /* 0: exceptions of all kinds */
    .rept 6
    j ein_on_exception
    .endr
    j ein_on_timer          /* 7: machine timer */
    .rept 3
    j ein_on_exception
    .endr
    j ein_on_external       /* 11: machine external */
    .option pop
