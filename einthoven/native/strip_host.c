/* Host-only face of firmware/rhythm's strip stage and quality gate for cffi: a whole record a call.
 */
#include "ein_quality.h"
#include "ein_strip.h"

#include <string.h>

typedef struct {
    uint32_t flags, t_samples, rr_prev_samples;
    uint8_t label, confidence, unsure, spare;
} ein_host_beat_t;

typedef struct {
    uint32_t verdict, probability, reasons, ventricular, supraventricular, rate_bpm, longest_ms;
} ein_host_verdict_t;

uint32_t ein_host_strip_bytes(void)
{
    return (uint32_t)sizeof(ein_strip_t);
}

void ein_host_quality(uint32_t n, uint32_t end_samples, ein_host_beat_t *beats)
{
    ein_quality_t quality;
    ein_quality_init(&quality);
    for (uint32_t i = 0; i < n; i++) {
        const ein_event_t event = {.kind = EIN_EVENT_BEAT, .t_samples = beats[i].t_samples};
        bool unsure = beats[i].unsure != 0;
        ein_quality_beat(&quality, &event, end_samples, beats[i].confidence, &beats[i].label,
                         &unsure);
        beats[i].unsure = unsure ? 1 : 0;
    }
}

/* signal, inputs, logits, embedding: a row a beat. templates: as ein_host_templates gave them. */
void ein_host_strip(uint32_t n, const ein_host_beat_t *beats, const int8_t *signal,
                    const int8_t *inputs, const int8_t *logits, const int8_t *embedding,
                    const void *templates, uint32_t samples, ein_host_verdict_t *out,
                    int8_t *features)
{
    ein_strip_t strip;
    ein_templates_t kinds;
    memcpy(&kinds, templates, sizeof kinds);
    ein_strip_init(&strip);
    for (uint32_t i = 0; i < n; i++) {
        ein_tensor_t tensor;
        memcpy(tensor.signal, signal + i * sizeof tensor.signal, sizeof tensor.signal);
        memcpy(tensor.features, inputs + i * sizeof tensor.features, sizeof tensor.features);
        const ein_event_t event = {
            .kind = EIN_EVENT_BEAT,
            .flags = (uint16_t)beats[i].flags,
            .t_samples = beats[i].t_samples,
            .rr_prev_samples = beats[i].rr_prev_samples,
            .tensor = &tensor,
        };
        const ein_strip_beat_t beat = {
            .event = &event,
            .logits = logits + i * EIN_CLASSES,
            .embedding = embedding + i * EIN_STRIP_EMBEDDING,
            .label = beats[i].label,
            .unsure = beats[i].unsure != 0,
        };
        ein_strip_beat(&strip, &beat);
    }
    ein_strip_verdict_t verdict;
    ein_strip_verdict(&strip, &kinds, samples, &verdict, features);
    *out = (ein_host_verdict_t){verdict.verdict,     verdict.probability,      verdict.reasons,
                                verdict.ventricular, verdict.supraventricular, verdict.rate_bpm,
                                verdict.longest_ms};
}
