#include "ein_sha512.h"

#include <string.h>

#define ROUNDS 80u
#define BLOCK_BYTES 128u
#define LENGTH_AT 112u
#define LENGTH_BYTES 16u

/* FIPS 180-4, 5.3.5: first 64 bits of the fractions of the square roots of the first 8 primes. */
static const uint64_t start[8] = {
    0x6a09e667f3bcc908ull, 0xbb67ae8584caa73bull, 0x3c6ef372fe94f82bull, 0xa54ff53a5f1d36f1ull,
    0x510e527fade682d1ull, 0x9b05688c2b3e6c1full, 0x1f83d9abfb41bd6bull, 0x5be0cd19137e2179ull,
};

/* 4.2.3: of the cube roots of the first 80. */
static const uint64_t constants[ROUNDS] = {
    0x428a2f98d728ae22ull, 0x7137449123ef65cdull, 0xb5c0fbcfec4d3b2full, 0xe9b5dba58189dbbcull,
    0x3956c25bf348b538ull, 0x59f111f1b605d019ull, 0x923f82a4af194f9bull, 0xab1c5ed5da6d8118ull,
    0xd807aa98a3030242ull, 0x12835b0145706fbeull, 0x243185be4ee4b28cull, 0x550c7dc3d5ffb4e2ull,
    0x72be5d74f27b896full, 0x80deb1fe3b1696b1ull, 0x9bdc06a725c71235ull, 0xc19bf174cf692694ull,
    0xe49b69c19ef14ad2ull, 0xefbe4786384f25e3ull, 0x0fc19dc68b8cd5b5ull, 0x240ca1cc77ac9c65ull,
    0x2de92c6f592b0275ull, 0x4a7484aa6ea6e483ull, 0x5cb0a9dcbd41fbd4ull, 0x76f988da831153b5ull,
    0x983e5152ee66dfabull, 0xa831c66d2db43210ull, 0xb00327c898fb213full, 0xbf597fc7beef0ee4ull,
    0xc6e00bf33da88fc2ull, 0xd5a79147930aa725ull, 0x06ca6351e003826full, 0x142929670a0e6e70ull,
    0x27b70a8546d22ffcull, 0x2e1b21385c26c926ull, 0x4d2c6dfc5ac42aedull, 0x53380d139d95b3dfull,
    0x650a73548baf63deull, 0x766a0abb3c77b2a8ull, 0x81c2c92e47edaee6ull, 0x92722c851482353bull,
    0xa2bfe8a14cf10364ull, 0xa81a664bbc423001ull, 0xc24b8b70d0f89791ull, 0xc76c51a30654be30ull,
    0xd192e819d6ef5218ull, 0xd69906245565a910ull, 0xf40e35855771202aull, 0x106aa07032bbd1b8ull,
    0x19a4c116b8d2d0c8ull, 0x1e376c085141ab53ull, 0x2748774cdf8eeb99ull, 0x34b0bcb5e19b48a8ull,
    0x391c0cb3c5c95a63ull, 0x4ed8aa4ae3418acbull, 0x5b9cca4f7763e373ull, 0x682e6ff3d6b2b8a3ull,
    0x748f82ee5defb2fcull, 0x78a5636f43172f60ull, 0x84c87814a1f0ab72ull, 0x8cc702081a6439ecull,
    0x90befffa23631e28ull, 0xa4506cebde82bde9ull, 0xbef9a3f7b2c67915ull, 0xc67178f2e372532bull,
    0xca273eceea26619cull, 0xd186b8c721c0c207ull, 0xeada7dd6cde0eb1eull, 0xf57d4f7fee6ed178ull,
    0x06f067aa72176fbaull, 0x0a637dc5a2c898a6ull, 0x113f9804bef90daeull, 0x1b710b35131c471bull,
    0x28db77f523047d84ull, 0x32caab7b40c72493ull, 0x3c9ebe0a15c9bebcull, 0x431d67c49c100d4cull,
    0x4cc5d4becb3e42b6ull, 0x597f299cfc657e2aull, 0x5fcb6fab3ad6faecull, 0x6c44198c4a475817ull,
};

/* By a constant: a function that is not inlined would shift by a library's call. */
#define ROTATE(x, n) ((x) >> (n) | (x) << (64u - (n)))

static uint64_t load(const uint8_t *bytes)
{
    uint64_t word = 0;
    for (unsigned i = 0; i < 8; i++) {
        word = word << 8 | bytes[i];
    }
    return word;
}

/* 6.4.2, with the message schedule in 16 words that are used over and over, and a to h that change
   places instead of being moved: after 80 rounds they are back. */
#define V(i) v[((i)-t) % 8u]
static void compress(uint64_t state[8], const uint8_t *block)
{
    uint64_t w[16];
    uint64_t v[8];
    memcpy(v, state, sizeof(v));
    for (unsigned t = 0; t < ROUNDS; t++) {
        if (t < 16) {
            w[t] = load(block + (size_t)8 * t);
        } else {
            const uint64_t a = w[(t + 1) % 16], b = w[(t + 14) % 16];
            w[t % 16] += (ROTATE(a, 1) ^ ROTATE(a, 8) ^ a >> 7) + w[(t + 9) % 16] +
                         (ROTATE(b, 19) ^ ROTATE(b, 61) ^ b >> 6);
        }
        const uint64_t e = V(4), a = V(0);
        const uint64_t t1 = V(7) + (ROTATE(e, 14) ^ ROTATE(e, 18) ^ ROTATE(e, 41)) +
                            ((e & V(5)) ^ (~e & V(6))) + constants[t] + w[t % 16];
        const uint64_t t2 = (ROTATE(a, 28) ^ ROTATE(a, 34) ^ ROTATE(a, 39)) +
                            ((a & V(1)) ^ (a & V(2)) ^ (V(1) & V(2)));
        V(3) += t1;
        V(7) = t1 + t2; /* the next round's V(0) */
    }
    for (unsigned i = 0; i < 8; i++) {
        state[i] += v[i];
    }
}

void ein_sha512_init(ein_sha512_t *sha)
{
    memcpy(sha->state, start, sizeof(start));
    sha->size = 0;
}

void ein_sha512_update(ein_sha512_t *sha, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        sha->block[sha->size++ % BLOCK_BYTES] = bytes[i];
        if (sha->size % BLOCK_BYTES == 0) {
            compress(sha->state, sha->block);
        }
    }
}

void ein_sha512_final(ein_sha512_t *sha, uint8_t digest[64])
{
    const uint64_t bits = (uint64_t)sha->size * 8u;
    const uint8_t one = 0x80, zero = 0;
    ein_sha512_update(sha, &one, 1);
    while (sha->size % BLOCK_BYTES != LENGTH_AT) {
        ein_sha512_update(sha, &zero, 1);
    }
    for (unsigned i = 0; i < LENGTH_BYTES; i++) {
        const uint8_t byte = i < 8 ? 0 : (uint8_t)(bits >> (120u - 8u * i));
        ein_sha512_update(sha, &byte, 1);
    }
    for (unsigned i = 0; i < EIN_SHA512_BYTES; i++) {
        digest[i] = (uint8_t)(sha->state[i / 8] >> (56u - 8u * (i % 8)));
    }
}
