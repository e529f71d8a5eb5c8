/* SHA-512 (FIPS 180-4), for what everybody may know: images and signatures. Nothing secret goes
 * through it, and it is not written for that. 192 bytes of state; stack at most 250 bytes.
 */
#ifndef EIN_SHA512_H
#define EIN_SHA512_H

#include <stddef.h>
#include <stdint.h>

#define EIN_SHA512_BYTES 64u

typedef struct {
    uint64_t state[8];
    uint32_t size; /* bytes so far: below 2^29 */
    uint8_t block[128];
} ein_sha512_t;

void ein_sha512_init(ein_sha512_t *sha);

void ein_sha512_update(ein_sha512_t *sha, const uint8_t *bytes, size_t n);

/* `sha` is used up. */
void ein_sha512_final(ein_sha512_t *sha, uint8_t digest[64]);

#endif
