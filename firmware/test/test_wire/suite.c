/* The protocol's case table (codegen/spec/wire.toml) through the board's codec, on the board. */
#include <string.h>

#include "ein_frame.h"
#include "ein_samples.h"
#include "ein_wire_cases.h"
#include "harness.h"

static ein_frame_decoder_t decoder;

static bool frame_fits(const ein_frame_t *frame, const ein_wire_case_frame_t *expected)
{
    return frame->type == expected->type && frame->sequence == expected->sequence &&
           frame->size == expected->size &&
           memcmp(frame->payload, expected->payload, expected->size) == 0;
}

static bool frames_fit(const ein_wire_case_t *c)
{
    size_t n = 0;
    bool good = true;
    ein_frame_decoder_init(&decoder);
    for (size_t i = 0; i < c->n_bytes; i++) {
        ein_frame_t frame;
        if (ein_frame_decoder_push(&decoder, c->bytes[i], &frame)) {
            good = good && n < c->n_frames && frame_fits(&frame, &c->frames[n]);
            n++;
        }
    }
    return good && n == c->n_frames && decoder.rejected_frames == c->rejected_frames &&
           decoder.rejected_bytes == c->rejected_bytes;
}

static bool samples_fit(const ein_wire_sample_case_t *c)
{
    ein_samples_t samples;
    ein_samples_init(&samples, c->code, c->size);
    for (size_t i = 0; i < c->count; i++) {
        int16_t value = 0;
        if (!ein_samples_next(&samples, &value)) {
            return !c->valid;
        }
        if (c->valid && value != c->samples[i]) {
            return false;
        }
    }
    return ein_samples_ended(&samples) == c->valid;
}

void ein_test_suite(void)
{
    for (unsigned i = 0; i < sizeof(ein_wire_cases) / sizeof(ein_wire_cases[0]); i++) {
        ein_test_check(frames_fit(&ein_wire_cases[i]), ein_wire_cases[i].name);
    }
    ein_test_equal((uint32_t)ein_wire_check_messages(), 0, "messages that differ");
    for (unsigned i = 0; i < sizeof(ein_wire_sample_cases) / sizeof(ein_wire_sample_cases[0]);
         i++) {
        ein_test_check(samples_fit(&ein_wire_sample_cases[i]), ein_wire_sample_cases[i].name);
    }
}
