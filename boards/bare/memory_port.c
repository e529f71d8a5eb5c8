/* firmware/app/ein_memory_port.h for ports with a linker script that says where flash and RAM are.
 */
#include "ein_memory_port.h"

extern const uint8_t _image_start[], _image_end[];
extern uint32_t _ram_start[], _ram_end[];
/* What the image uses of core-coupled memory, where the chip has some. */
extern uint32_t _ccm_start[] __attribute__((weak)), _ccm_end[] __attribute__((weak));

const ein_memory_t *ein_memory_port(void)
{
    static const ein_memory_t memory = {
        .image = _image_start,
        .image_end = _image_end,
        .ram = {{_ram_start, _ram_end}, {_ccm_start, _ccm_end}},
    };
    return &memory;
}

void ein_memory_port_mask(int masked)
{
#ifdef __riscv
    if (masked) {
        __asm volatile("csrci mstatus, 8" ::: "memory");
    } else {
        __asm volatile("csrsi mstatus, 8" ::: "memory");
    }
#else
    if (masked) {
        __asm volatile("cpsid i" ::: "memory");
    } else {
        __asm volatile("cpsie i" ::: "memory");
    }
#endif
}
