/* What every RISC-V core with machine mode has, and this project uses (privileged specification,
   1.12). */
#ifndef EIN_RISCV_H
#define EIN_RISCV_H

#include <stdint.h>

typedef volatile uint32_t reg_t;

#define csr_write(name, value) __asm volatile("csrw " #name ", %0" ::"r"(value) : "memory")
#define csr_set(name, bits) __asm volatile("csrs " #name ", %0" ::"r"(bits) : "memory")
#define csr_clear(name, bits) __asm volatile("csrc " #name ", %0" ::"r"(bits) : "memory")

#define MSTATUS_MIE (1u << 3)
#define MIE_TIMER (1u << 7)
#define MIE_EXTERNAL (1u << 11)

/* C's side of the entries in start.S. */
void ein_start(void) __attribute__((noreturn));
void ein_fault_report(uint32_t cause, uint32_t pc, uint32_t value, uint32_t sp)
    __attribute__((noreturn));

static inline void irq_disable(void)
{
    csr_clear(mstatus, MSTATUS_MIE);
}

static inline void irq_enable(void)
{
    csr_set(mstatus, MSTATUS_MIE);
}

/* Until an interrupt comes, even one that is masked. */
static inline void ein_sleep(void)
{
    __asm volatile("wfi" ::: "memory");
}

#endif
