/* What the port asks of its cores, on RP2040's and RP2350's Arm ones. */
#ifndef EIN_CORE_H
#define EIN_CORE_H

#include "cortex_m.h"

static inline void irq_line_enable(unsigned irq)
{
    nvic_enable(irq);
}

#endif
