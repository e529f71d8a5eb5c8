/* Runs a generated model on the host under sanitizers: inputs from stdin, outputs to stdout.
 *
 * Every buffer is allocated by itself and exactly as large as promised, so that a byte too far is
 * seen. The arena is filled with noise before each inference: its contents must not matter.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case_host.h"
#include "ein_model.h"

int main(void)
{
    static const size_t in_bytes[] = CASE_IN_BYTES, out_bytes[] = CASE_OUT_BYTES;
    int8_t *in[CASE_INS], *out[CASE_OUTS];
    const size_t arena_bytes = EIN_MODEL_ARENA_BYTES;
    uint8_t *arena = malloc(arena_bytes);

    for (size_t i = 0; i < CASE_INS; i++)
        in[i] = malloc(in_bytes[i]);
    for (size_t i = 0; i < CASE_OUTS; i++)
        out[i] = malloc(out_bytes[i]);
    for (;;) {
        for (size_t i = 0; i < CASE_INS; i++)
            if (fread(in[i], 1, in_bytes[i], stdin) != in_bytes[i])
                goto done;
        for (size_t i = 0; i < arena_bytes; i++)
            arena[i] = (uint8_t)rand();
        CASE_INFER(arena, in, out);
        for (size_t i = 0; i < CASE_OUTS; i++)
            fwrite(out[i], 1, out_bytes[i], stdout);
    }
done:
    for (size_t i = 0; i < CASE_INS; i++)
        free(in[i]);
    for (size_t i = 0; i < CASE_OUTS; i++)
        free(out[i]);
    free(arena);
    return 0;
}
