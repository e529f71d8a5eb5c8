#include "ein_slots.h"

#define ERASED 0xFFFFFFFFu
/* Ranks of images: of a cable's, then by sequence, then those whose sequence was cut. */
#define NEWEST 0x10000u
#define OLDEST 0u
/* An image is refused at most once, and marked at most once. */
#define TURNS (2u * EIN_SLOTS)

static uint32_t word_at(unsigned slot, uint32_t at)
{
    uint32_t word;
    return ein_slots_port_read(slot, at, &word, sizeof(word)) ? word : 0;
}

/* 1 to 0xFFFE; OLDEST if the word is none. */
static uint32_t rank_of(uint32_t word)
{
    if (word == ERASED) {
        return NEWEST;
    }
    return (word >> 16 ^ (word & 0xFFFFu)) == 0xFFFFu ? word >> 16 : OLDEST;
}

ein_slot_state_t ein_slots_state(unsigned slot, ein_image_t *image)
{
    uint8_t header[EIN_IMAGE_SIGNED_BYTES];
    image->version = 0;
    if (ein_slots_port_address(slot) == 0 ||
        !ein_slots_port_read(slot, 0, header, sizeof(header)) || !ein_image_parse(image, header)) {
        image->version = 0;
        return EIN_SLOT_EMPTY;
    }
    if (word_at(slot, EIN_IMAGE_REFUSED_AT) != ERASED) {
        return EIN_SLOT_REFUSED;
    }
    if (word_at(slot, EIN_IMAGE_CONFIRMED_AT) == EIN_IMAGE_CONFIRMED) {
        return EIN_SLOT_CONFIRMED;
    }
    if (word_at(slot, EIN_IMAGE_TRIED_AT) != ERASED) {
        return EIN_SLOT_TRIED;
    }
    return word_at(slot, EIN_IMAGE_SEQUENCE_AT) == ERASED ? EIN_SLOT_CABLE : EIN_SLOT_PENDING;
}

uint32_t ein_slots_next_sequence(void)
{
    uint32_t newest = 0;
    for (unsigned slot = 0; slot < EIN_SLOTS; slot++) {
        ein_image_t image;
        const uint32_t rank = rank_of(word_at(slot, EIN_IMAGE_SEQUENCE_AT));
        if (ein_slots_state(slot, &image) != EIN_SLOT_EMPTY && rank != NEWEST && rank > newest) {
            newest = rank;
        }
    }
    const uint32_t next = newest < 0xFFFEu ? newest + 1u : 0xFFFEu;
    return next << 16 | (~next & 0xFFFFu);
}

bool ein_slots_mark(unsigned slot, uint32_t at, uint32_t value)
{
    return word_at(slot, at) == value ||
           (ein_slots_port_write(slot, at, &value, sizeof(value)) && word_at(slot, at) == value);
}

static bool starts(ein_slot_state_t state)
{
    return state != EIN_SLOT_EMPTY && state != EIN_SLOT_REFUSED;
}

/* The newest that can be started, or EIN_SLOTS. */
static unsigned newest_of(const ein_slot_state_t states[EIN_SLOTS])
{
    unsigned best = EIN_SLOTS;
    uint32_t best_rank = 0;
    for (unsigned slot = 0; slot < EIN_SLOTS; slot++) {
        const uint32_t rank = rank_of(word_at(slot, EIN_IMAGE_SEQUENCE_AT));
        if (starts(states[slot]) && (best == EIN_SLOTS || rank > best_rank)) {
            best = slot;
            best_rank = rank;
        }
    }
    return best;
}

unsigned ein_slots_choose(ein_slots_check_t check)
{
    for (unsigned turn = 0; turn < TURNS; turn++) {
        ein_image_t images[EIN_SLOTS];
        ein_slot_state_t states[EIN_SLOTS];
        for (unsigned slot = 0; slot < EIN_SLOTS; slot++) {
            states[slot] = ein_slots_state(slot, &images[slot]);
        }
        const unsigned slot = newest_of(states);
        if (slot == EIN_SLOTS || states[slot] == EIN_SLOT_CONFIRMED) {
            return slot;
        }
        if (states[slot] == EIN_SLOT_TRIED) {
            if (states[1u - slot] != EIN_SLOT_CONFIRMED) {
                return slot; /* there is nothing better */
            }
        } else if (check(slot, &images[slot])) {
            if (states[slot] == EIN_SLOT_CABLE) {
                ein_slots_mark(slot, EIN_IMAGE_SEQUENCE_AT, ein_slots_next_sequence());
            }
            ein_slots_mark(slot, EIN_IMAGE_TRIED_AT, EIN_IMAGE_TRIED);
            return slot;
        }
        if (!ein_slots_mark(slot, EIN_IMAGE_REFUSED_AT, EIN_IMAGE_REFUSED)) {
            /* It cannot be written off: whatever else there is, is better. */
            return starts(states[1u - slot]) ? 1u - slot : EIN_SLOTS;
        }
    }
    return EIN_SLOTS;
}
