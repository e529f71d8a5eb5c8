/* Host-only face of the gate before the network for cffi: a whole record a call. */
#include "ein_gate.h"
#include "ein_gate_table.h"

void ein_host_gate_open(uint32_t n, const uint32_t *t_emitted, const uint16_t *flags,
                        uint8_t *opened);
void ein_host_gate_score(uint32_t n, const int8_t *features, int8_t *scores);
int ein_host_gate_table(int32_t *most, int8_t logits[EIN_CLASSES]);

void ein_host_gate_open(uint32_t n, const uint32_t *t_emitted, const uint16_t *flags,
                        uint8_t *opened)
{
    ein_gate_t gate;
    ein_gate_init(&gate);
    for (uint32_t i = 0; i < n; i++) {
        const ein_event_t event = {
            .kind = EIN_EVENT_BEAT,
            .flags = flags[i],
            .t_emitted = t_emitted[i],
        };
        opened[i] = ein_gate_open(&gate, &event) ? 1 : 0;
    }
}

void ein_host_gate_score(uint32_t n, const int8_t *features, int8_t *scores)
{
    for (uint32_t i = 0; i < n; i++) {
        scores[i] = ein_gate_score(features + i * EIN_FEATURES);
    }
}

/* Limit and logits; 0 if there is no gate. */
int ein_host_gate_table(int32_t *most, int8_t logits[EIN_CLASSES])
{
#if EIN_GATE
    static const int8_t normal[EIN_CLASSES] = EIN_GATE_LOGITS;
    for (uint32_t i = 0; i < EIN_CLASSES; i++) {
        logits[i] = normal[i];
    }
    *most = EIN_GATE_MOST;
#else
    (void)logits;
    *most = INT8_MIN - 1;
#endif
    return EIN_GATE;
}
