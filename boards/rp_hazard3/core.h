/* What the port asks of its cores, on the RP2350's RISC-V ones: Hazard3 (data sheet, 3.8). */
#ifndef EIN_CORE_H
#define EIN_CORE_H

#include "riscv.h"

/* 3.8.6.1: the interrupt controller is part of the core. Its arrays are written 16 bits at a time:
   the lower half of the word says which. */
#define MEIEA "0xBE0"
#define MEINEXT "0xBE4"
#define MEINEXT_NONE (1u << 31)
#define MEINEXT_IRQ(next) ((next) >> 2)

static inline void irq_line_enable(unsigned irq)
{
    __asm volatile("csrs " MEIEA ", %0" ::"r"(1u << (16u + irq % 16u) | irq / 16u) : "memory");
}

/* The interrupt to be handled next, 4 times its number; MEINEXT_NONE if there is none. */
static inline uint32_t irq_next(void)
{
    uint32_t next;
    __asm volatile("csrr %0, " MEINEXT : "=r"(next)::"memory");
    return next;
}

#endif
