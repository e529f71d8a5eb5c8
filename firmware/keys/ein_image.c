#include "ein_image.h"

#include <string.h>

#include "ein_bytes.h"

bool ein_image_parse(ein_image_t *image, const uint8_t *header)
{
    static const uint8_t magic[EIN_IMAGE_MAGIC_BYTES] = EIN_IMAGE_MAGIC;
    if (memcmp(header + EIN_IMAGE_MAGIC_AT, magic, sizeof(magic)) != 0 ||
        ein_get_u16(header + EIN_IMAGE_FORMAT_AT) != EIN_IMAGE_FORMAT ||
        ein_get_u16(header + EIN_IMAGE_HEADER_BYTES_AT) != EIN_IMAGE_HEADER_BYTES) {
        return false;
    }
    for (unsigned i = 0; i < EIN_IMAGE_RESERVED_BYTES; i++) {
        if (header[EIN_IMAGE_RESERVED_AT + i] != 0) {
            return false;
        }
    }
    image->version = ein_get_u32(header + EIN_IMAGE_VERSION_AT);
    image->load = ein_get_u32(header + EIN_IMAGE_LOAD_AT);
    image->size = ein_get_u32(header + EIN_IMAGE_SIZE_AT);
    image->crc = ein_get_u32(header + EIN_IMAGE_CRC_AT);
    memcpy(image->board, header + EIN_IMAGE_BOARD_AT, EIN_IMAGE_BOARD_BYTES);
    image->board[EIN_IMAGE_BOARD_BYTES] = 0;
    return image->size >= 4u && image->size <= EIN_IMAGE_MAX_BYTES && image->size % 4u == 0;
}

bool ein_image_is_for(const ein_image_t *image, const char *board)
{
    size_t i = 0;
    while (image->board[i] != '\0' && image->board[i] == board[i]) {
        i++;
    }
    return image->board[i] == board[i];
}
