/* Runs the signal path over a record that the emulator has put at CORE_RECORD, sample by sample.
 *
 * Prints, in hex, the instructions of all samples in two words, those of the longest sample, its
 * number, and the most beats that became due at one sample:
 * a sample is a push and the events that it makes due, without the model.
 */
#include "bare.h"
#include "ein_core.h"

typedef struct {
    uint32_t count, gain_lsb_per_mv;
    int32_t rail_lo, rail_hi;
    int16_t samples[];
} record_t;

static ein_core_t core;

static void put_hex(uint32_t value)
{
    for (int shift = 28; shift >= 0; shift -= 4)
        bare_put("0123456789abcdef"[value >> shift & 15]);
    bare_put(' ');
}

/* Not inlined: a trace is divided into samples where this begins. */
__attribute__((noinline)) static uint32_t one_sample(const int16_t *sample)
{
    ein_event_t event;
    uint32_t beats = 0;

    ein_core_push(&core, sample, 1);
    while (ein_core_next(&core, &event))
        beats += event.kind == EIN_EVENT_BEAT;
    return beats;
}

int main(void)
{
    const record_t *record = (const record_t *)CORE_RECORD;
    const ein_core_config_t config = {(uint16_t)record->gain_lsb_per_mv, (int16_t)record->rail_lo,
                                      (int16_t)record->rail_hi};
    uint64_t sum = 0;
    uint32_t most = 0, most_at = 0, most_beats = 0;

    ein_core_init(&core, &config);
    for (uint32_t i = 0; i < record->count; i++) {
        const uint32_t begin = bare_count();

        const uint32_t beats = one_sample(&record->samples[i]);
        const uint32_t n = bare_count() - begin;
        sum += n;
        if (n > most) {
            most = n;
            most_at = i;
        }
        if (beats > most_beats)
            most_beats = beats;
    }
    put_hex((uint32_t)(sum >> 32));
    put_hex((uint32_t)sum);
    put_hex(most);
    put_hex(most_at);
    put_hex(most_beats);
    bare_exit();
    return 0;
}
