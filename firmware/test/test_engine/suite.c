/* The engine on the board gives the logits that TensorFlow Lite Micro gives on the host, to the
   bit. vectors.h is made for each build (firmware/tools/vectors.py). */
#include <string.h>

#include "ein_model.h"
#include "ein_port.h"
#include "harness.h"
#include "vectors.h"

static uint32_t arena[(EIN_MODEL_ARENA_BYTES + 3) / 4];

void ein_test_suite(void)
{
    uint32_t differ = 0, least = UINT32_MAX, most = 0;
    for (unsigned i = 0; i < VECTOR_TENSORS; i++) {
        int8_t logits[EIN_MODEL_OUTPUTS];
        ein_port_poll(false);
        memset(arena, 0xA5, sizeof(arena)); /* nothing may depend on what was there */
        const uint32_t start = ein_port_count();
        ein_model_infer(arena, vector_signals[i], vector_features[i], logits);
        const uint32_t count = ein_port_count() - start;
        least = count < least ? count : least;
        most = count > most ? count : most;
        differ += memcmp(logits, vector_logits[i], sizeof(logits)) != 0;
    }
    ein_test_equal(differ, 0, "beats whose logits differ from TFLM's");
    ein_test_check(least > 0, "the counter counts");
    /* No kernel's way depends on its data but where the compiler makes a branch of a minimum: none
       on Cortex-M4, 0.2 % on rv32imc. No interrupt comes while nobody sends. */
    ein_test_check((most - least) <= least / 400, "inferences cost the same within 0.25 %");
}
