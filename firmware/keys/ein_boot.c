#include "ein_boot.h"

#include <string.h>

#include "ein_sha512.h"
#include "ein_slots.h"

/* Of the boot stage's one call. */
static const uint8_t *operator_key;
static const char *own_board;

static bool has_key(void)
{
    uint8_t any = 0;
    for (unsigned i = 0; i < 32; i++) {
        any |= operator_key[i];
    }
    return any != 0;
}

static bool is_whole(unsigned slot, const ein_image_t *image, const uint8_t *digest)
{
    ein_sha512_t sha;
    uint8_t found[EIN_SHA512_BYTES], piece[64];
    ein_sha512_init(&sha);
    for (uint32_t at = 0; at < image->size; at += (uint32_t)sizeof(piece)) {
        const uint32_t left = image->size - at;
        const size_t n = left < sizeof(piece) ? left : sizeof(piece);
        if (!ein_slots_port_read(slot, EIN_IMAGE_HEADER_BYTES + at, piece, n)) {
            return false;
        }
        ein_sha512_update(&sha, piece, n);
    }
    ein_sha512_final(&sha, found);
    return memcmp(found, digest, sizeof(found)) == 0;
}

static bool check(unsigned slot, const ein_image_t *image)
{
    uint8_t header[EIN_IMAGE_SENT_BYTES];
    return ein_image_is_for(image, own_board) && image->load == ein_slots_port_address(slot) &&
           ein_slots_port_read(slot, 0, header, sizeof(header)) &&
           is_whole(slot, image, header + EIN_IMAGE_DIGEST_AT) &&
           (!has_key() || ein_image_is_signed(header, operator_key));
}

unsigned ein_boot_choose(const uint8_t public_key[32], const char *board)
{
    operator_key = public_key;
    own_board = board;
    return ein_slots_choose(check);
}
