/* What the slots hold, and which of them the boot stage starts.
 *
 * An image that came over the wire is installed by one word, its sequence (the pending mark). The
 * boot stage checks it, marks it as tried and starts it; what works confirms itself. One that was
 * tried and is not confirmed at the next start is given up for the other, if that is confirmed.
 * What a cable has written has no sequence: it is newer than all, is checked and gets one. Whatever
 * the power interrupts, one image that was confirmed stays to be started.
 *
 * A mark that was cut reads as anything: a sequence then counts as the oldest there is, tried and
 * refused as written, confirmed as not.
 */
#ifndef EIN_SLOTS_H
#define EIN_SLOTS_H

#include "ein_image.h"
#include "ein_slots_port.h"

typedef enum {
    EIN_SLOT_EMPTY = 0,
    EIN_SLOT_CABLE = 1,
    EIN_SLOT_PENDING = 2,
    EIN_SLOT_TRIED = 3,
    EIN_SLOT_CONFIRMED = 4,
    EIN_SLOT_REFUSED = 5,
} ein_slot_state_t;

/* State of a slot, and the header that lies there; version 0 where there is none. */
ein_slot_state_t ein_slots_state(unsigned slot, ein_image_t *image);

/* The next word of the pending mark: newer than all that is there. */
uint32_t ein_slots_next_sequence(void);

/* Writes a word of the marks, unless it is there already. */
bool ein_slots_mark(unsigned slot, uint32_t at, uint32_t value);

/* Whether an image may be started, asked of those that never were: whether it belongs to this board
   and lies where it should, and whether content and signature are right. */
typedef bool (*ein_slots_check_t)(unsigned slot, const ein_image_t *image);

/* For the boot stage: the slot to start, or EIN_SLOTS if there is none. Writes marks. */
unsigned ein_slots_choose(ein_slots_check_t check);

#endif
