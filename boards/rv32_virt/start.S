/* Entry and trap vectors (RISC-V privileged specification, mtvec in vectored mode). */
    .section .start, "ax"
    .globl _start
_start:
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la sp, _stack_top
    la t0, vectors
    ori t0, t0, 1
    csrw mtvec, t0
    j ein_start

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
