/* Entry and exception vectors (Xtensa ISA reference, 4.4.1; places as QEMU's lx106 has them, from
   VECBASE on), at the core's reset vector. */
    .section .vectors, "ax"
    .global _start
_start:
    j begin
    .org 0x10
    j on_exception          /* debug */
    .org 0x20
    j on_exception          /* NMI */
    .org 0x30
    j on_exception          /* kernel */
    .org 0x50
    j on_exception          /* user */
    .org 0x70
    j on_exception          /* double */
    .org 0x80
    .literal_position
    .align 4
begin:
    movi a2, _start
    wsr a2, vecbase
    movi a1, _stack_top
    movi a0, 0
    call0 ein_start

/* The stack may be the cause: start on an empty one. */
on_exception:
    mov a5, a1
    movi a1, _stack_top
    rsr a2, exccause
    rsr a3, epc1
    rsr a4, excvaddr
    call0 ein_fault_report

    .text
    .global _start_again
    .literal_position
    .align 4
_start_again:
    movi a2, _start
    jx a2

/* a2: number of the call, and its result; a3 to a6: arguments. */
    .global _simcall
    .align 4
_simcall:
    simcall
    ret
