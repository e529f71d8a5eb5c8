/* The signal path on the board gives the events and tensors that it gives on the host, to the bit,
   however the samples are cut into calls. vectors.h is made for each build
   (firmware/tools/vectors.py). */
#include <string.h>

#include "ein_core.h"
#include "ein_crc32.h"
#include "harness.h"
#include "vectors.h"

static ein_core_t core;
static uint32_t beats, signals, digest;

static void digest_word(uint32_t word)
{
    const uint8_t bytes[4] = {(uint8_t)word, (uint8_t)(word >> 8), (uint8_t)(word >> 16),
                              (uint8_t)(word >> 24)};
    digest = ein_crc32(digest, bytes, sizeof(bytes));
}

static void drain(void)
{
    ein_event_t event;
    while (ein_core_next(&core, &event)) {
        if (event.kind != EIN_EVENT_BEAT) {
            signals++;
            continue;
        }
        beats++;
        digest_word(event.t_samples);
        digest_word(event.t_emitted);
        digest_word(event.flags);
        digest_word(event.rr_prev_samples);
        digest_word(event.rr_next_samples);
        digest = ein_crc32(digest, event.tensor->signal, sizeof(event.tensor->signal));
        digest = ein_crc32(digest, event.tensor->features, sizeof(event.tensor->features));
    }
}

static void run(size_t block)
{
    const ein_core_config_t config = {VECTOR_GAIN, VECTOR_RAIL_LO, VECTOR_RAIL_HI};
    beats = signals = digest = 0;
    ein_test_equal((uint32_t)ein_core_init(&core, &config), EIN_OK, "core starts");
    for (size_t at = 0; at < VECTOR_SAMPLES;) {
        const size_t left = VECTOR_SAMPLES - at;
        at += ein_core_push(&core, vector_samples + at, left < block ? left : block);
        drain();
    }
    ein_core_finish(&core);
    drain();
}

void ein_test_suite(void)
{
    static const size_t blocks[] = {VECTOR_SAMPLES, 1, 7, 256};
    for (unsigned i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
        run(blocks[i]);
        ein_test_equal(beats, VECTOR_BEATS, "beats");
        ein_test_equal(signals, VECTOR_SIGNALS, "changes of the signal's state");
        ein_test_equal(digest, VECTOR_DIGEST, "digest of events and tensors");
    }
}
