/* Runs the model over the vectors of case.h and prints every output and the instructions of each
 * inference. */
#include <stdint.h>

#include "bare.h"
#include "case.h"

static uint8_t arena[CASE_ARENA_BYTES + 1] __attribute__((aligned(16)));
static int8_t output[CASE_OUTPUT_BYTES];

static void put_hex(uint32_t value, int digits)
{
    while (digits--)
        bare_put("0123456789abcdef"[(value >> (4 * digits)) & 15]);
}

int main(void)
{
    for (uint32_t n = 0; n < CASE_VECTORS; n++) {
        const int8_t *in = case_inputs[n];
        const uint32_t begin = bare_count();

        CASE_INFER(arena, in, output);
        put_hex(bare_count() - begin, 8);
        bare_put(' ');
        for (uint32_t i = 0; i < CASE_OUTPUT_BYTES; i++)
            put_hex((uint8_t)output[i], 2);
        bare_put('\n');
    }
    bare_exit();
    return 0;
}
