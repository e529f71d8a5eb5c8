/* Encrypts a block, reading the counter before and after, and prints it. */
#include <stdint.h>

#include "bare.h"

/* aes.S: round keys in the order of their use. */
void aes_encrypt(const uint8_t *round_keys, const uint8_t *in, uint8_t *out);
extern const uint8_t aes_round_keys[], aes_block[16];

static uint8_t out[16];

int main(void)
{
    bare_count();
    aes_encrypt(aes_round_keys, aes_block, out);
    bare_count();
    for (int i = 0; i < 32; i++)
        bare_put("0123456789abcdef"[out[i / 2] >> (i % 2 ? 0 : 4) & 15]);
    bare_exit();
    return 0;
}
