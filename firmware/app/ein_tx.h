/* Frames out, through the port. A frame that the port does not take in time is dropped and counted:
 * the host asks again. RAM: 264 B.
 */
#ifndef EIN_TX_H
#define EIN_TX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ein_frame.h"

typedef struct {
    uint32_t dropped_frames;
    bool cut; /* the line holds the beginning of a frame */
    uint8_t frame[EIN_FRAME_MAX];
} ein_tx_t;

/* Where the payload of the next frame goes: EIN_WIRE_MAX_PAYLOAD bytes. */
static inline uint8_t *ein_tx_payload(ein_tx_t *tx)
{
    return tx->frame + EIN_FRAME_PAYLOAD_AT;
}

/* Sends what has been put there. */
void ein_tx_send(ein_tx_t *tx, uint8_t type, uint8_t sequence, size_t payload_size);

/* Sends text between delimiters, so that it is neither part of a frame nor taken for a broken one.
   The texts are sent one after the other; the last one is NULL. */
void ein_tx_print(const char *const *texts);

#endif
