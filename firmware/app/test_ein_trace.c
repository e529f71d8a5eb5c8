/* The trace against a plain model: whatever is pushed, lost and acknowledged, each block holds the
   samples that its indices say, in order and without a hole between two of them; what was let go
   unacknowledged stops the sending. */
#include <stdio.h>

#include "ein_samples.h"
#include "ein_trace.h"

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("FAIL line %d: %s\n", __LINE__, #condition);                                    \
            return 1;                                                                              \
        }                                                                                          \
    } while (0)

#define MODEL_SAMPLES 4096u

static uint32_t seed = 1;
static int16_t model[MODEL_SAMPLES]; /* the newest samples, by index */

static uint32_t random_below(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

static bool holds(const ein_trace_block_t *block)
{
    ein_samples_t samples;
    ein_samples_init(&samples, block->code, block->size);
    for (uint32_t i = 0; i < block->count; i++) {
        int16_t value;
        if (!ein_samples_next(&samples, &value) ||
            value != model[(block->start + i) % MODEL_SAMPLES]) {
            return false;
        }
    }
    return ein_samples_ended(&samples);
}

int main(void)
{
    static ein_trace_t trace;
    ein_trace_start(&trace, 7);
    CHECK(trace.session == 7 && !ein_trace_close(&trace) && ein_trace_first_sample(&trace) == 0);
    uint32_t taken = 0; /* samples that were pushed or lost */
    bool due = false;   /* a block went unacknowledged */
    trace.sending = true;
    for (uint32_t step = 0; step < 200000; step++) {
        const uint32_t first = trace.first;
        bool closed = false;
        uint32_t what = random_below(1000);
        if (what < 990) {
            /* calm for a while, then extremes: blocks that are full of samples or of bits */
            const uint32_t range = step / 5000 % 2 == 0 ? 20u : 65536u;
            const int16_t sample = (int16_t)((int32_t)random_below(range) - (int32_t)range / 2);
            model[taken % MODEL_SAMPLES] = sample;
            closed = ein_trace_push(&trace, sample);
            taken++;
        } else if (what < 994) {
            const uint32_t lost = 1 + random_below(500);
            closed = ein_trace_gap(&trace, lost);
            taken += lost;
        } else if (what < 995) {
            closed = ein_trace_close(&trace);
            CHECK(trace.next_sample == taken);
        } else {
            const uint32_t at = ein_trace_first_sample(&trace) + random_below(400);
            ein_trace_acknowledge(&trace, at);
            CHECK(trace.first == trace.next || at > trace.next_sample ||
                  ein_trace_at(&trace, trace.first)->start +
                          ein_trace_at(&trace, trace.first)->count >
                      at);
            continue;
        }
        CHECK(trace.next - trace.first < EIN_TRACE_BLOCKS);
        due = trace.first != first;
        CHECK(trace.sending != due);
        trace.sending = true;
        if (closed) {
            CHECK(holds(ein_trace_at(&trace, trace.next - 1)));
        }
        uint32_t at = ein_trace_first_sample(&trace);
        for (uint32_t n = trace.first; n != trace.next; n++) {
            const ein_trace_block_t *block = ein_trace_at(&trace, n);
            CHECK(block->start - block->lost == at);
            at = block->start + block->count;
        }
        CHECK(at == trace.next_sample);
    }
    for (uint32_t n = trace.first; n != trace.next; n++) {
        CHECK(holds(ein_trace_at(&trace, n)));
    }
    printf("trace: good\n");
    return 0;
}
