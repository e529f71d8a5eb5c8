/* Events that the host has not acknowledged yet: a ring, numbered without gaps.
 *
 * Replay stops taking samples while it is full, so nothing is lost there; stream mode cannot wait
 * and lets the oldest go. RAM: 1.4 KB.
 */
#ifndef EIN_OUTBOX_H
#define EIN_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "ein_wire_gen.h"

/* A full receive buffer of 1 KB holds about 8 s of ECG: 32 events are enough for 240 beats a
   minute in it. */
#define EIN_OUTBOX_EVENTS 32u

typedef struct {
    /* Of a signal event: number, times and flags only. Of a rhythm event: number, t_emitted,
       t_samples (its begin), rr_next_samples (its end), label (its kind), flags (its phase). */
    ein_wire_beat_t beat;
    uint8_t type; /* EIN_WIRE_BEAT, EIN_WIRE_SIGNAL or EIN_WIRE_RHYTHM */
} ein_outbox_event_t;

typedef struct {
    uint32_t first; /* number of the oldest one kept */
    uint32_t next;  /* number of the next one */
    ein_outbox_event_t events[EIN_OUTBOX_EVENTS];
} ein_outbox_t;

void ein_outbox_init(ein_outbox_t *outbox);

bool ein_outbox_full(const ein_outbox_t *outbox);

/* The place of the next event, with its number set; the caller fills in the rest. Not when full. */
ein_outbox_event_t *ein_outbox_add(ein_outbox_t *outbox);

/* Frees all events with a lower number. Numbers that were never given out are ignored. */
void ein_outbox_acknowledge(ein_outbox_t *outbox, uint32_t number);

/* Frees the oldest event. */
void ein_outbox_drop(ein_outbox_t *outbox);

/* The event with that number, first <= number < next. */
const ein_outbox_event_t *ein_outbox_at(const ein_outbox_t *outbox, uint32_t number);

#endif
