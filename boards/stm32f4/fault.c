/* Faults are reported over the serial port as a line of text between two frame delimiters, which
   the host shows, and then the program starts again. */
#include <stddef.h>

#include "ein_port.h"
#include "report.h"
#include "restart.h"
#include "serial.h"
#include "stm32f4.h"

void Fault_Handler(void);
void ein_fault_report(const uint32_t *frame) __attribute__((noreturn, used));

/* frame: what the core pushed when the fault came: r0-r3, r12, lr, pc, psr. After a stack overflow
   it could not be pushed. */
void ein_fault_report(const uint32_t *frame)
{
    char line[128];
    char *end = line;
    *end++ = '\0';
    end = ein_put_register(end, "fault: exception=", SCB->ICSR & 0x1FFu);
    end = ein_put_register(end, " cfsr=", SCB->CFSR);
    end = ein_put_register(end, " bfar=", SCB->BFAR);
    end = ein_put_frame(end, frame);
    end = ein_put_text(end, "\r\n");
    *end++ = '\0';
    (void)ein_serial_write((const uint8_t *)line, (size_t)(end - line));
    ein_restart(EIN_RESET_FAULT);
}

/* The stack may be the cause: start on an empty one. */
__attribute__((naked, noreturn)) void Fault_Handler(void)
{
    __asm volatile("cpsid i\n"
                   "mrs r0, msp\n"
                   "movw r1, #:lower16:_stack_top\n"
                   "movt r1, #:upper16:_stack_top\n"
                   "msr msp, r1\n"
                   "b ein_fault_report\n");
}
