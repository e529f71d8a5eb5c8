/* Which beats the network need not look at: the gate before it.
 *
 * Most beats are plainly normal, and the features that the core has of each say so. A small dense
 * network on these alone (ein_gate_net.h, generated from the model's gate.tflite) gives a score,
 * the higher the less normal; a beat with at most EIN_GATE_MOST passes for N, and the network,
 * which costs a hundred times as much, is not run for it. Its logits are then EIN_GATE_LOGITS, what
 * the network says of such beats in the median; vote, confidence and all that follows take them as
 * the network's own.
 *
 * The gate is shut, and the network sees every beat, while
 *  - the recording may still be a strip: EIN_STRIP_BEATS beats, or EIN_STRIP_MAX_SECONDS (a strip's
 *    verdict reads the network's embedding, and a beginning is where templates are young);
 *  - the core says anything of the signal since the beat before (flags are not 0);
 *  - a patient's head is active, which is not what the gate was held to: the session asks that.
 *
 * Limit and logits were chosen on held-out patients (docs/gate.md). A model without a gate has
 * EIN_GATE 0, and none of its beats pass. int8 in and out; no errors. RAM: 2 bytes and
 * EIN_GATE_NET_ARENA_BYTES.
 */
#ifndef EIN_GATE_H
#define EIN_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "ein_types.h"

typedef struct {
    uint16_t beats; /* seen since the start, at most EIN_STRIP_BEATS */
} ein_gate_t;

void ein_gate_init(ein_gate_t *gate);

/* Whether the gate is open for a beat. To be asked of each one, in the order of the events. */
bool ein_gate_open(ein_gate_t *gate, const ein_event_t *event);

/* The score of a beat's features, the lower the more normal. */
int8_t ein_gate_score(const int8_t features[EIN_FEATURES]);

/* Whether a beat for which the gate is open passes; then fills `logits`. */
bool ein_gate_passes(const int8_t features[EIN_FEATURES], int8_t logits[EIN_CLASSES]);

#endif
