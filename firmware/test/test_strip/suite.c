/* Gate and verdict on the board are what they are on the host, to the bit, however the samples are
   cut into calls. vectors.h is made for each build (firmware/tools/vectors.py). */
#include "ein_core.h"
#include "ein_crc32.h"
#include "ein_quality.h"
#include "ein_strip.h"
#include "harness.h"
#include "vectors.h"

static ein_core_t core;
static ein_quality_t quality;
static ein_strip_t strip;
static uint32_t beats, digest;

static void drain(uint32_t end_samples)
{
    ein_event_t event;
    while (ein_core_next(&core, &event)) {
        if (event.kind != EIN_EVENT_BEAT || beats >= VECTOR_BEATS) {
            continue;
        }
        uint8_t label = vector_label[beats];
        bool unsure = vector_unsure[beats] != 0;
        ein_quality_beat(&quality, &event, end_samples, vector_confidence[beats], &label, &unsure);
        const uint8_t told[2] = {label, unsure ? 1 : 0};
        digest = ein_crc32(digest, told, sizeof(told));
        const ein_strip_beat_t beat = {
            .event = &event,
            .logits = vector_logits[beats],
            .embedding = vector_embedding[beats],
            .label = label,
            .unsure = unsure,
        };
        ein_strip_beat(&strip, &beat);
        beats++;
    }
}

static void run(size_t block)
{
    const ein_core_config_t config = {VECTOR_GAIN, VECTOR_RAIL_LO, VECTOR_RAIL_HI};
    beats = digest = 0;
    ein_test_equal((uint32_t)ein_core_init(&core, &config), EIN_OK, "core starts");
    ein_quality_init(&quality);
    ein_strip_init(&strip);
    for (size_t at = 0; at < VECTOR_SAMPLES;) {
        const size_t left = VECTOR_SAMPLES - at;
        at += ein_core_push(&core, vector_samples + at, left < block ? left : block);
        drain(0);
    }
    ein_core_finish(&core);
    drain(VECTOR_SAMPLES);
}

void ein_test_suite(void)
{
    static const size_t blocks[] = {VECTOR_SAMPLES, 1, 7, 256};
    static int8_t features[EIN_STRIP_FEATURES];
    for (unsigned i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
        ein_strip_verdict_t v;
        run(blocks[i]);
        ein_test_equal(beats, VECTOR_BEATS, "beats");
        ein_test_equal(digest, VECTOR_TOLD, "what the gate tells of them");
        ein_strip_verdict(&strip, &core.beat.templates, VECTOR_SAMPLES, &v, features);
        ein_test_equal(ein_crc32(0, features, sizeof(features)), VECTOR_FEATURES, "features");
        ein_test_equal(v.verdict, VECTOR_VERDICT, "verdict");
        ein_test_equal(v.probability, VECTOR_PROBABILITY, "its probability");
        ein_test_equal(v.reasons, VECTOR_REASONS, "its reasons");
        ein_test_equal(v.ventricular, VECTOR_VENTRICULAR, "beats called V");
        ein_test_equal(v.supraventricular, VECTOR_SUPRAVENTRICULAR, "beats called S");
        ein_test_equal(v.rate_bpm, VECTOR_RATE_BPM, "rate");
        ein_test_equal(v.longest_ms, VECTOR_LONGEST_MS, "longest interval");
    }
}
