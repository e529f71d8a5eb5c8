/* Arm's semihosting (Arm IHI 0077), by which a program in an emulator reaches files of the machine
   that it runs on. Never on silicon, where the instruction would be a fault. */
#ifndef EIN_SEMIHOSTING_H
#define EIN_SEMIHOSTING_H

#include <stdint.h>

#define SYS_OPEN 0x01u
#define SYS_WRITE 0x05u
#define SYS_READ 0x06u
#define SYS_SEEK 0x0Au
#define SYS_GET_CMDLINE 0x15u
#define MODE_RB 1u
#define MODE_WB 5u

static inline uint32_t ein_semihosting(uint32_t operation, const void *parameters)
{
    register uint32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = parameters;
    __asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

/* UINT32_MAX: it cannot be opened. */
static inline uint32_t ein_semihosting_open(const char *name, uint32_t length, uint32_t mode)
{
    const uint32_t ask[3] = {(uint32_t)(uintptr_t)name, mode, length};
    return ein_semihosting(SYS_OPEN, ask);
}

/* SYS_READ or SYS_WRITE: how many bytes were not transferred. */
static inline uint32_t ein_semihosting_transfer(uint32_t operation, uint32_t file,
                                                const void *bytes, uint32_t n)
{
    const uint32_t ask[3] = {file, (uint32_t)(uintptr_t)bytes, n};
    return ein_semihosting(operation, ask);
}

#endif
