/* Episodes and alarms on the board are what they are on the host, to the bit and the sample, over a
   record that has each of them. vectors.h is made for each build (firmware/tools/vectors.py). */
#include "ein_core.h"
#include "ein_crc32.h"
#include "ein_rhythm.h"
#include "harness.h"
#include "vectors.h"

static ein_core_t core;
static ein_rhythm_t rhythm;
static uint32_t beats, told, digest, kinds;

static void take(uint32_t now)
{
    ein_rhythm_event_t event;
    while (ein_rhythm_next(&rhythm, &event)) {
        const uint32_t words[] = {event.kind, event.phase, event.begin_samples, event.end_samples,
                                  now};
        digest = ein_crc32(digest, words, sizeof(words));
        kinds |= 1u << event.kind;
        told++;
    }
}

static void drain(void)
{
    ein_event_t event;
    while (ein_core_next(&core, &event)) {
        if (event.kind == EIN_EVENT_SIGNAL) {
            ein_rhythm_signal(&rhythm, event.flags);
        } else if (beats < VECTOR_BEATS) {
            const ein_rhythm_beat_t beat = {event.t_samples, event.flags, vector_label[beats],
                                            vector_confidence[beats], event.tensor};
            ein_rhythm_beat(&rhythm, &beat);
            beats++;
        }
        take(event.t_emitted);
    }
}

void ein_test_suite(void)
{
    const ein_core_config_t config = {VECTOR_GAIN, VECTOR_RAIL_LO, VECTOR_RAIL_HI};
    ein_test_equal((uint32_t)ein_core_init(&core, &config), EIN_OK, "core starts");
    ein_rhythm_init(&rhythm);
    for (uint32_t i = 0; i < VECTOR_SAMPLES; i++) {
        ein_core_push(&core, vector_samples + i, 1);
        ein_rhythm_sample(&rhythm, &core.ring);
        drain();
        take(i);
    }
    ein_core_finish(&core);
    drain();
    ein_rhythm_finish(&rhythm, VECTOR_SAMPLES);
    take(VECTOR_SAMPLES);
    ein_test_equal(beats, VECTOR_BEATS, "beats");
    ein_test_equal(told, VECTOR_TOLD, "events");
    ein_test_equal(kinds, VECTOR_KINDS, "kinds of events");
    ein_test_equal(digest, VECTOR_DIGEST, "the events themselves");
}
