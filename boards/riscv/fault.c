/* An exception is reported over the serial port as a line of text between two frame delimiters,
   which the host shows, and then the program starts again. */
#include <stddef.h>

#include "ein_port.h"
#include "report.h"
#include "restart.h"
#include "riscv.h"

/* mcause, mepc, mtval, and the stack pointer as it was: an overflow is what leaves the stack's
   bottom. Some cores have no mtval; it reads 0 there. */
void ein_fault_report(uint32_t cause, uint32_t pc, uint32_t value, uint32_t sp)
{
    char line[96];
    char *end = line;
    *end++ = '\0';
    end = ein_put_register(end, "fault: mcause=", cause);
    end = ein_put_register(end, " mepc=", pc);
    end = ein_put_register(end, " mtval=", value);
    if (sp < (uint32_t)(uintptr_t)_stack_bottom) {
        end = ein_put_text(end, " stack overflow");
    }
    end = ein_put_text(end, "\r\n");
    *end++ = '\0';
    (void)ein_port_write((const uint8_t *)line, (size_t)(end - line));
    ein_restart(EIN_RESET_FAULT);
}
