/* firmware/app/ein_memory_port.h for ports with a linker script that says where flash and RAM are.
 */
#include "ein_memory_port.h"

extern const uint8_t _image_start[], _image_end[];
extern uint32_t _ram_start[], _ram_end[];

void ein_memory_port(ein_memory_t *memory)
{
    *memory = (ein_memory_t){
        .image = _image_start,
        .image_bytes = (uint32_t)(_image_end - _image_start),
        .ram = _ram_start,
        .ram_words = (size_t)(_ram_end - _ram_start),
    };
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
