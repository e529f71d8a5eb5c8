/* Whether the chip is good: what lies in its flash, what its RAM holds, whether its watchdog acts.
 */
#include "ein_app_state.h"

#ifdef EIN_MEMORY
#include "ein_crc32.h"
#include "ein_memory_port.h"
#include "ein_ram_test.h"

bool ein_app_on_memory(ein_app_t *app, const ein_frame_t *frame)
{
    if (frame->size != EIN_WIRE_MEMORY_SIZE) {
        return false;
    }
    const ein_memory_t *memory = ein_memory_port();
    const uint32_t image_bytes = (uint32_t)(memory->image_end - memory->image);
    ein_wire_memory_reply_t reply = {
        .image_bytes = image_bytes,
        .image_crc = ein_crc32(0, memory->image, image_bytes),
    };
    for (size_t i = 0; i < EIN_MEMORY_RAMS && reply.ram_bad == 0; i++) {
        const size_t words = (size_t)(memory->ram[i].end - memory->ram[i].begin);
        reply.ram_bytes += (uint32_t)(words * sizeof(uint32_t));
        reply.ram_bad = (uint32_t)(uintptr_t)ein_ram_test(memory->ram[i].begin, words);
    }
    ein_app_send(app, EIN_WIRE_MEMORY_REPLY, frame->sequence,
                 ein_wire_put_memory_reply(ein_app_payload(app), &reply));
    return true;
}
#endif

bool ein_app_on_hang(const ein_frame_t *frame)
{
    if (frame->size != EIN_WIRE_HANG_SIZE) {
        return false;
    }
    for (;;) { /* and nobody feeds the watchdog */
        __asm volatile("");
    }
}
