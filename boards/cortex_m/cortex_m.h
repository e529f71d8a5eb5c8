/* What every Cortex-M has beside its core, and this project uses (Arm DDI 0419, 0403, 0553). */
#ifndef EIN_CORTEX_M_H
#define EIN_CORTEX_M_H

#include <stdint.h>

typedef volatile uint32_t reg_t;

typedef struct {
    reg_t CTRL, LOAD, VAL, CALIB; /* VAL counts 24 bits down */
} systick_t;

typedef struct {
    reg_t CPUID, ICSR, VTOR, AIRCR, SCR, CCR, SHPR[3], SHCSR, CFSR, HFSR, DFSR, MMFAR, BFAR;
} scb_t; /* ARMv6-M ends with SHCSR */

#define CPACR (*(reg_t *)0xE000ED88u)
#define SYSTICK ((systick_t *)0xE000E010u)
#define NVIC_ISER ((reg_t *)0xE000E100u)
#define NVIC_ICPR ((reg_t *)0xE000E280u)
#define SCB ((scb_t *)0xE000ED00u)

#define CPACR_VECTORS (0xFu << 20) /* CP10 and CP11: FPU, Helium */
#define SYSTICK_CTRL_ON 7u         /* the core's clock, an interrupt, running */
#define SCB_ICSR_ACTIVE 0x1FFu
#define SCB_ICSR_PENDSTCLR (1u << 25)
#define SCB_ICSR_PENDSTSET (1u << 26)
#define CFSR_STKOF (1u << 20)       /* Armv8-M: a push below MSPLIM */
#define SCB_AIRCR_RESET 0x05FA0004u /* VECTKEY, SYSRESETREQ */

static inline void nvic_enable(unsigned irq)
{
    NVIC_ISER[irq / 32u] = 1u << (irq % 32u);
}

/* What has come of an interrupt is forgotten. */
static inline void nvic_clear(unsigned irq)
{
    NVIC_ICPR[irq / 32u] = 1u << (irq % 32u);
}

static inline void irq_disable(void)
{
    __asm volatile("cpsid i" ::: "memory");
}

static inline void irq_enable(void)
{
    __asm volatile("cpsie i" ::: "memory");
}

/* Until an interrupt comes, even one that is masked. */
static inline void ein_sleep(void)
{
    __asm volatile("dsb\n wfi" ::: "memory");
}

#endif
