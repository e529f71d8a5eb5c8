/* Many models in one program: runs each on its vectors and prints a checksum of every op's output.
 */
#include "bare_many.h"

#include "bare.h"
#include "ein_crc32.h"
#include "many.h"

static uint8_t arena[MANY_ARENA_BYTES] __attribute__((aligned(16)));
static int8_t outputs[MANY_OUTPUT_BYTES];

static void put_hex(uint32_t value)
{
    for (int shift = 28; shift >= 0; shift -= 4)
        bare_put("0123456789abcdef"[value >> shift & 15]);
}

void bare_many_begin(uint8_t *from, uint32_t bytes)
{
    static uint32_t noise = 1;

    for (uint32_t i = 0; i < bytes; i++) {
        noise = noise * 1664525u + 1013904223u;
        from[i] = (uint8_t)(noise >> 24);
    }
    bare_put('\n');
}

void bare_many_layer(int32_t tensor, const int8_t *data, int32_t bytes)
{
    put_hex((uint32_t)tensor);
    put_hex((uint32_t)bytes);
    put_hex(ein_crc32(0, data, (size_t)bytes));
    bare_put(' ');
}

int main(void)
{
    for (uint32_t i = 0; i < sizeof many / sizeof *many; i++)
        many[i](arena + sizeof arena, outputs + sizeof outputs);
    bare_exit();
    return 0;
}
