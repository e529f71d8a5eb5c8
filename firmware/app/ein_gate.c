#include "ein_gate.h"

#include <string.h>

#include "ein_gate_table.h"
#include "ein_strip_table.h"

#define STRIP_SAMPLES (EIN_STRIP_MAX_SECONDS * (uint32_t)EIN_PIPELINE_RATE_HZ)

void ein_gate_init(ein_gate_t *gate)
{
    gate->beats = 0;
}

bool ein_gate_open(ein_gate_t *gate, const ein_event_t *event)
{
    const bool young = gate->beats < EIN_STRIP_BEATS;
    gate->beats = (uint16_t)(gate->beats + (young ? 1u : 0u));
    const bool strip = young && event->t_emitted <= STRIP_SAMPLES;
    return EIN_GATE && !strip && event->flags == 0;
}

#if EIN_GATE
#include "ein_gate_net.h"

typedef char ein_check_input[EIN_GATE_NET_INPUT_BYTES == EIN_FEATURES ? 1 : -1];
typedef char ein_check_output[EIN_GATE_NET_OUTPUTS == 1 ? 1 : -1];

int8_t ein_gate_score(const int8_t features[EIN_FEATURES])
{
    static uint32_t arena[(EIN_GATE_NET_ARENA_BYTES + 3u) / 4u];
    int8_t score;
    ein_gate_net_infer(arena, features, &score);
    return score;
}

bool ein_gate_passes(const int8_t features[EIN_FEATURES], int8_t logits[EIN_CLASSES])
{
    static const int8_t normal[EIN_CLASSES] = EIN_GATE_LOGITS;
    if (ein_gate_score(features) > EIN_GATE_MOST) {
        return false;
    }
    memcpy(logits, normal, sizeof(normal));
    return true;
}
#else
int8_t ein_gate_score(const int8_t features[EIN_FEATURES])
{
    (void)features;
    return INT8_MAX;
}

bool ein_gate_passes(const int8_t features[EIN_FEATURES], int8_t logits[EIN_CLASSES])
{
    (void)features, (void)logits;
    return false;
}
#endif
