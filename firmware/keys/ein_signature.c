#include "ein_image.h"
#include "ein_sha512.h"
#include "monocypher.h"

#define POINT_BYTES 32u

bool ein_image_is_signed(const uint8_t *header, const uint8_t public_key[32])
{
    const uint8_t *signature = header + EIN_IMAGE_SIGNED_BYTES;
    uint8_t hash[EIN_SHA512_BYTES], reduced[32];
    {
        ein_sha512_t sha;
        ein_sha512_init(&sha);
        ein_sha512_update(&sha, signature, POINT_BYTES);
        ein_sha512_update(&sha, public_key, POINT_BYTES);
        ein_sha512_update(&sha, header, EIN_IMAGE_SIGNED_BYTES);
        ein_sha512_final(&sha, hash);
    }
    crypto_eddsa_reduce(reduced, hash);
    return crypto_eddsa_check_equation(signature, public_key, reduced) == 0;
}
