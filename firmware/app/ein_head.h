/* The patient's head: parameters of the model's last layers that came over the wire, kept in the
 * board's slot, run from a copy in RAM.
 *
 * What lies in the slot is used only if it is whole and was made for this very model; anything else
 * is as if nothing were there. A power cut at any moment leaves the old head or none: the
 * record's first word is written last, and a CRC-32 covers the rest. RAM: EIN_MODEL_HEAD_BYTES + 48
 * B.
 */
#ifndef EIN_HEAD_H
#define EIN_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    EIN_HEAD_NONE = 0,
    EIN_HEAD_ACTIVE = 1,
    EIN_HEAD_FOREIGN = 2,    /* the slot holds one for another model, which is not used */
    EIN_HEAD_UNSUPPORTED = 3 /* the board has no slot, or the model no layers to replace */
} ein_head_state_t;

typedef enum {
    EIN_HEAD_OK = 0,
    EIN_HEAD_ERR_MODEL = -1, /* it was made for another model */
    EIN_HEAD_ERR_CRC = -2,   /* what has arrived is not what was sent */
    EIN_HEAD_ERR_UNFIT = -3, /* its parameters are none that the engine can run */
    EIN_HEAD_ERR_SLOT = -4   /* the slot does not keep it */
} ein_head_status_t;

/* Takes what the slot holds, and forgets what was staged: after start-up, before every session (an
   upload may have been broken off), and whenever the state is told. */
void ein_head_load(void);

ein_head_state_t ein_head_state(void);

/* The active head's parameters for ein_model_head; NULL if there is none. */
const int8_t *ein_head_parameters(void);

/* CRC-32 over the model's SHA-256 and the active head's parameters; 0 if there is none. */
uint32_t ein_head_crc(void);

/* Puts a piece of a new head at `offset` of its parameters. No head is active from then on, until
   ein_head_store or ein_head_load. False if it reaches beyond the end. */
bool ein_head_stage(size_t offset, const uint8_t *bytes, size_t n);

/* Checks the staged parameters, writes them into the slot unless they are there already, and makes
   them the active head. On an error the state is that of ein_head_load. */
ein_head_status_t ein_head_store(uint32_t crc, const uint8_t model_sha256[32]);

/* Erases the slot. False if that fails. */
bool ein_head_remove(void);

#endif
