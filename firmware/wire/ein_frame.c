#include "ein_frame.h"

#include <assert.h>

#include "ein_bytes.h"
#include "ein_crc32.h"

#define MESSAGE_MIN 2u /* type and sequence */

void ein_frame_decoder_init(ein_frame_decoder_t *decoder)
{
    decoder->received = 0;
    decoder->length = 0;
    decoder->code = 0;
    decoder->left = 0;
    decoder->rejected_frames = 0;
    decoder->rejected_bytes = 0;
}

static bool close_frame(const ein_frame_decoder_t *decoder, ein_frame_t *frame)
{
    if (decoder->received > EIN_FRAME_BLOCK_MAX || decoder->left != 0 ||
        decoder->length < MESSAGE_MIN + EIN_FRAME_CRC_BYTES) {
        return false;
    }
    size_t size = decoder->length - EIN_FRAME_CRC_BYTES;
    if (ein_crc32(0, decoder->data, size) != ein_get_u32(decoder->data + size)) {
        return false;
    }
    frame->type = decoder->data[0];
    frame->sequence = decoder->data[1];
    frame->size = (uint8_t)(size - MESSAGE_MIN);
    frame->payload = decoder->data + MESSAGE_MIN;
    return true;
}

static void append(ein_frame_decoder_t *decoder, uint8_t byte)
{
    /* received <= EIN_FRAME_BLOCK_MAX here, and every decoded byte took at least one. */
    decoder->data[decoder->length] = byte;
    decoder->length++;
}

bool ein_frame_decoder_push(ein_frame_decoder_t *decoder, uint8_t byte, ein_frame_t *frame)
{
    if (byte == 0) {
        bool empty = decoder->received == 0;
        bool good = !empty && close_frame(decoder, frame);
        if (!empty && !good) {
            decoder->rejected_frames++;
            if (decoder->received <= EIN_FRAME_BLOCK_MAX) {
                decoder->rejected_bytes += decoder->received;
            }
        }
        decoder->received = 0;
        decoder->length = 0;
        decoder->code = 0;
        decoder->left = 0;
        return good;
    }
    if (decoder->received > EIN_FRAME_BLOCK_MAX) { /* too long: only counted until the delimiter */
        decoder->rejected_bytes++;
        return false;
    }
    decoder->received++;
    if (decoder->received > EIN_FRAME_BLOCK_MAX) {
        decoder->rejected_bytes += decoder->received;
        return false;
    }
    if (decoder->left > 0) {
        append(decoder, byte);
        decoder->left--;
        return false;
    }
    /* A code byte: it ends the block before it, which stood for a zero unless it was a full one. */
    if (decoder->received > 1 && decoder->code != 0xFF) {
        append(decoder, 0);
    }
    decoder->code = byte;
    decoder->left = (uint8_t)(byte - 1u);
    return false;
}

size_t ein_frame_encode(uint8_t *buffer, uint8_t type, uint8_t sequence, size_t size)
{
    assert(size <= EIN_WIRE_MAX_PAYLOAD);
    buffer[1] = type;
    buffer[2] = sequence;
    size_t end = EIN_FRAME_PAYLOAD_AT + size;
    ein_put_u32(buffer + end, ein_crc32(0, buffer + 1, end - 1));
    end += EIN_FRAME_CRC_BYTES;

    /* Every zero becomes the distance to the next one; buffer[0] leads to the first. */
    size_t zero = 0;
    for (size_t i = 1; i < end; i++) {
        if (buffer[i] == 0) {
            buffer[zero] = (uint8_t)(i - zero);
            zero = i;
        }
    }
    buffer[zero] = (uint8_t)(end - zero);
    buffer[end] = 0;
    return end + 1;
}
