/* A signed firmware image (codegen/spec/image.toml): its header, and the check of its signature.
 *
 * Headers come over the wire and from flash, and are never trusted: lengths and texts are checked
 * before they are used. Ed25519 as RFC 8032 has it: the equation by Monocypher, SHA-512 by
 * ein_sha512.c. All that goes through here is public. No state.
 */
#ifndef EIN_IMAGE_H
#define EIN_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "ein_image_spec.h"

typedef struct {
    uint32_t version; /* major << 24 | minor << 16 | patch */
    uint32_t load;
    uint32_t size; /* of the program: 4 to EIN_IMAGE_MAX_BYTES, a multiple of 4 */
    uint32_t crc;  /* of the program */
    char board[EIN_IMAGE_BOARD_BYTES + 1];
} ein_image_t;

/* Reads a header of which EIN_IMAGE_SIGNED_BYTES are there. False if it is none. */
bool ein_image_parse(ein_image_t *image, const uint8_t *header);

/* Whether the owner of the public key has signed the header, of which EIN_IMAGE_SENT_BYTES are
   there. The digest of the program is in it, and not looked at. Stack: 1.9 KB; some 10 million
   instructions (docs/security.md): for the boot stage. */
bool ein_image_is_signed(const uint8_t *header, const uint8_t public_key[32]);

/* Whether the image is for the board of this name. Not strcmp: the C library's is 732 bytes. */
bool ein_image_is_for(const ein_image_t *image, const char *board);

#endif
