/* Where every exception goes. The stack may be the cause: start on an empty one. */
    .section .text.ein_on_exception, "ax"
    .globl ein_on_exception
ein_on_exception:
    mv a3, sp
    la sp, _stack_top
    csrr a0, mcause
    csrr a1, mepc
    csrr a2, mtval
    j ein_fault_report
