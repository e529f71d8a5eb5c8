/* Faults are reported over the serial port as a line of text between two frame delimiters, which
   the host shows, and then the program starts again. */
#include <stddef.h>

#include "cortex_m.h"
#include "ein_port.h"
#include "report.h"
#include "restart.h"

void Fault_Handler(void);
void ein_fault_report(const uint32_t *frame) __attribute__((noreturn, used));

/* frame: what the core pushed when the fault came: r0-r3, r12, lr, pc, psr. After a stack overflow
   it could not be pushed. ARMv6-M says no more than that there was one. */
void ein_fault_report(const uint32_t *frame)
{
    char line[128];
    char *end = line;
    *end++ = '\0';
    end = ein_put_register(end, "fault: exception=", SCB->ICSR & SCB_ICSR_ACTIVE);
#ifndef __ARM_ARCH_6M__
    end = ein_put_register(end, " cfsr=", SCB->CFSR);
    end = ein_put_register(end, " bfar=", SCB->BFAR);
#endif
#ifdef __ARM_ARCH_8M_MAIN__
    if ((SCB->CFSR & CFSR_STKOF) != 0) { /* with a limit the pointer stays above it */
        frame = NULL;
    }
#endif
    end = ein_put_frame(end, frame);
    end = ein_put_text(end, "\r\n");
    *end++ = '\0';
    (void)ein_port_write((const uint8_t *)line, (size_t)(end - line));
    ein_restart(EIN_RESET_FAULT);
}

/* The stack may be the cause: start on an empty one. */
__attribute__((naked, noreturn)) void Fault_Handler(void)
{
    __asm volatile("cpsid i\n"
                   "mrs r0, msp\n"
                   "ldr r1, =_stack_top\n"
                   "msr msp, r1\n"
                   "ldr r1, =ein_fault_report\n"
                   "bx r1\n"
                   ".ltorg\n");
}
