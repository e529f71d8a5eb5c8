/* Frames of the serial protocol: COBS, CRC-32, delimiter 0x00 (docs/SPEC.md, section 5).
 *
 * A frame is type, sequence, payload, CRC-32: at most EIN_FRAME_BLOCK_MAX - 1 = 254 bytes, so that
 * COBS needs one code byte in front of it and the encoding works in place.
 * No state but what the caller owns; nothing waits. RAM: 268 B.
 */
#ifndef EIN_FRAME_H
#define EIN_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ein_wire_gen.h"

#define EIN_FRAME_CRC_BYTES 4u
#define EIN_FRAME_BLOCK_MAX (1u + 2u + EIN_WIRE_MAX_PAYLOAD + EIN_FRAME_CRC_BYTES)
#define EIN_FRAME_MAX (EIN_FRAME_BLOCK_MAX + 1u) /* with the closing delimiter */
#define EIN_FRAME_PAYLOAD_AT 3u /* where the payload lies in a buffer to be encoded */

typedef struct {
    uint8_t type;
    uint8_t sequence;
    uint8_t size;
    const uint8_t *payload;
} ein_frame_t;

typedef struct {
    uint16_t received; /* COBS bytes since the last delimiter, saturating just above the maximum */
    uint16_t length;   /* decoded bytes in data */
    uint8_t code;      /* the COBS code byte that governs now */
    uint8_t left;      /* literal bytes still to come for it */
    uint32_t rejected_frames;
    uint32_t rejected_bytes;
    uint8_t data[EIN_FRAME_BLOCK_MAX - 1u];
} ein_frame_decoder_t;

/* Forgets everything, the counters too. */
void ein_frame_decoder_init(ein_frame_decoder_t *decoder);

/* Takes one byte from the line. True when it completes a good frame: *frame then describes it, and
   its payload stays valid until the next call. Anything between delimiters that is not a good frame
   is dropped and counted, whatever it is. */
bool ein_frame_decoder_push(ein_frame_decoder_t *decoder, uint8_t byte, ein_frame_t *frame);

/* Encodes in place: the caller has put `size` <= EIN_WIRE_MAX_PAYLOAD bytes of payload at
   buffer + EIN_FRAME_PAYLOAD_AT. Returns the number of bytes to send, from buffer[0] on, closing
   delimiter included; buffer must hold EIN_FRAME_MAX bytes. */
size_t ein_frame_encode(uint8_t *buffer, uint8_t type, uint8_t sequence, size_t size);

#endif
