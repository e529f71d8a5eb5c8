/* Firmware over the wire into the slot that does not run; the boot stage has the last word.
 *
 * The caller has seen to it that the session is open (ein_keys.h). Checked here: that the image is
 * for this board and this slot, fits, and is not older than what runs unless that is wanted; that
 * every byte lies in flash as it was sent (CRC-32). The signature is checked by the boot stage,
 * which refuses what is not the operator's and starts the old image: nothing that the wire brings
 * runs unchecked. State: 236 bytes. Never waits but for the port's erase and writes.
 */
#ifndef EIN_UPDATE_H
#define EIN_UPDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    EIN_UPDATE_IDLE = 0,
    EIN_UPDATE_RECEIVING = 1,
    EIN_UPDATE_PENDING = 2,
} ein_update_state_t;

typedef enum {
    EIN_UPDATE_OK = 0,
    EIN_UPDATE_ERR_NONE = -1,    /* no second slot, or nothing has begun */
    EIN_UPDATE_ERR_UNFIT = -2,   /* another board's, another slot's, too large, no image */
    EIN_UPDATE_ERR_OLDER = -3,   /* than what runs */
    EIN_UPDATE_ERR_CONTENT = -4, /* what lies in the slot is not what the header says */
    EIN_UPDATE_ERR_FLASH = -5,   /* it does not keep what is written */
} ein_update_status_t;

/* Once, before all others: no update is under way. */
void ein_update_init(void);

/* `header`: n bytes, EIN_IMAGE_SENT_BYTES or it is unfit. `board`: this board's name. Erases the
   slot, unless the same image is under way: then it goes on where it was. */
ein_update_status_t ein_update_begin(const uint8_t *header, size_t n, bool downgrade,
                                     const char *board);

/* Bytes of the program from `offset` on. Taken only if that is ein_update_next(): else nothing
   changes, and it is no error. n is a multiple of 4. */
ein_update_status_t ein_update_piece(uint32_t offset, const uint8_t *bytes, size_t n);

/* Compares, and marks it for the next start. Again: still good. */
ein_update_status_t ein_update_finish(void);

/* What runs works, and stays. False if the mark cannot be written; true without a boot stage. */
bool ein_update_confirm(void);

ein_update_state_t ein_update_state(void);
uint32_t ein_update_next(void);

/* The slot that an image would go to; EIN_SLOTS: there is none. */
unsigned ein_update_slot(void);

#endif
