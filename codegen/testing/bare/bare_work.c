/* A record through all that judges its beats: signal path, gate, network, vote, confidence, as
 * ein_session.c calls them; without what a link or a strip needs besides.
 *
 * WORK_GATE: this tree has a gate before the network. WORK_ONCE: the network is run for the first
 * beat only, and what that took is counted for the others; it is the same for every input. Prints,
 * in hex, two words each: instructions of the signal path, of gate and network, of vote and
 * confidence; then beats, and beats that the network was run for.
 */
#include <string.h>

#include "bare.h"
#include "ein_confidence.h"
#include "ein_core.h"
#include "ein_model.h"
#include "ein_vote.h"
#ifdef WORK_GATE
#include "ein_gate.h"
static ein_gate_t gate;
#endif

typedef struct {
    uint32_t count, gain_lsb_per_mv;
    int32_t rail_lo, rail_hi;
    int16_t samples[];
} record_t;

static ein_core_t core;
static ein_vote_t vote, vote_unadapted;
static uint32_t arena[(EIN_MODEL_ARENA_BYTES + 3u) / 4u];
static uint32_t beats, inferences;
static volatile uint32_t told;
static uint64_t path, classifying, judging;

static void put(uint32_t value)
{
    for (int shift = 28; shift >= 0; shift -= 4)
        bare_put("0123456789abcdef"[value >> shift & 15]);
    bare_put(' ');
}

static void put_long(uint64_t value)
{
    put((uint32_t)(value >> 32));
    put((uint32_t)value);
}

static void infer(const ein_event_t *event, int8_t *logits, int8_t *unadapted)
{
#if EIN_MODEL_HEAD_BYTES
    int8_t embedding[EIN_MODEL_EMBEDDING];
    ein_model_embed(arena, &event->tensor->signal[0][0], event->tensor->features, embedding);
    ein_model_head(arena, 0, embedding, unadapted);
#else
    ein_model_infer(arena, &event->tensor->signal[0][0], event->tensor->features, unadapted);
#endif
    memcpy(logits, unadapted, EIN_CLASSES);
}

static void classify(const ein_event_t *event, int8_t *logits, int8_t *unadapted)
{
#ifdef WORK_GATE
    if (ein_gate_open(&gate, event) && ein_gate_passes(event->tensor->features, logits)) {
        memcpy(unadapted, logits, EIN_CLASSES);
        return;
    }
#endif
#ifdef WORK_ONCE
    static int8_t known[EIN_CLASSES];
    static uint32_t each;
    if (inferences == 0) {
        each = bare_count();
        infer(event, known, unadapted);
        each = bare_count() - each;
    } else {
        classifying += each;
    }
    memcpy(logits, known, EIN_CLASSES);
    memcpy(unadapted, known, EIN_CLASSES);
#else
    infer(event, logits, unadapted);
#endif
    inferences++;
}

static void on_beat(const ein_event_t *event)
{
    int8_t logits[EIN_CLASSES], unadapted[EIN_CLASSES];
    const uint32_t begin = bare_count();
    classify(event, logits, unadapted);
    const uint32_t classified = bare_count();
    ein_vote(&vote, event->slot, event->slot_beats, logits);
    ein_vote(&vote_unadapted, event->slot, event->slot_beats, unadapted);
    const uint8_t confidence = ein_confidence(logits);
    told += ein_confidence_unsure(confidence, event->flags) ? 1u : 0u;
    judging += bare_count() - classified;
    classifying += classified - begin;
    beats++;
}

int main(void)
{
    const record_t *record = (const record_t *)CORE_RECORD;
    const ein_core_config_t config = {(uint16_t)record->gain_lsb_per_mv, (int16_t)record->rail_lo,
                                      (int16_t)record->rail_hi};
    ein_event_t event;

    ein_core_init(&core, &config);
    for (uint32_t i = 0; i < record->count; i++) {
        uint32_t begin = bare_count();
        ein_core_push(&core, &record->samples[i], 1);
        while (ein_core_next(&core, &event)) {
            path += bare_count() - begin;
            if (event.kind == EIN_EVENT_BEAT)
                on_beat(&event);
            begin = bare_count();
        }
        path += bare_count() - begin;
    }
    put_long(path);
    put_long(classifying);
    put_long(judging);
    put(beats);
    put(inferences);
    bare_exit();
    return 0;
}
