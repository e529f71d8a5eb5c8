#include "ein_device_check.h"

#include <string.h>

#include "ein_crc32.h"
#include "ein_device_port.h"
#include "ein_device_spec.h"
#include "ein_golden.h"
#include "ein_port.h"

typedef char ein_check_golden[EIN_GOLDEN_OUTPUTS == EIN_CLASSES ? 1 : -1];

#define PIECE_BYTES 4096u

static bool image_is_whole(void)
{
    uint32_t bytes = 0, expected = 0, crc = 0;
    const uint8_t *image = ein_device_port_image(&bytes, &expected);
    if (image == NULL) {
        return true; /* a process has none */
    }
    while (bytes > 0) {
        const uint32_t n = bytes < PIECE_BYTES ? bytes : PIECE_BYTES;
        crc = ein_crc32(crc, image, n);
        image += n;
        bytes -= n;
        ein_port_poll(false);
    }
    return crc == expected;
}

/* Vector `number` of codegen/golden.py. */
static void make_tensor(ein_tensor_t *tensor, uint32_t number)
{
    uint8_t *bytes = (uint8_t *)tensor;
    uint32_t x = number;
    for (size_t i = 0; i < sizeof(*tensor); i++) {
        x = 1664525u * x + 1013904223u;
        bytes[i] = (uint8_t)(x >> 24);
    }
}

static bool engine_is_right(ein_tensor_t *tensor)
{
    static const int8_t golden[EIN_GOLDEN_VECTORS][EIN_CLASSES] = EIN_GOLDEN_LOGITS;
    int8_t logits[EIN_CLASSES], unadapted[EIN_CLASSES], embedding[EIN_STRIP_EMBEDDING];
    for (uint32_t n = 0; n < EIN_GOLDEN_VECTORS; n++) {
        make_tensor(tensor, n);
        ein_session_infer(tensor, logits, unadapted, embedding);
        ein_port_poll(false);
        if (memcmp(unadapted, golden[n], sizeof(unadapted)) != 0) {
            return false;
        }
    }
    return true;
}

uint8_t ein_device_check(ein_app_t *app)
{
    uint8_t faults = 0;
    faults |= (uint8_t)(image_is_whole() ? 0u : EIN_DEVICE_CHECK_IMAGE);
    faults |= (uint8_t)(app->model_fits ? 0u : EIN_DEVICE_CHECK_MODEL);
    faults |= (uint8_t)(engine_is_right(&app->bench) ? 0u : EIN_DEVICE_CHECK_ENGINE);
    return faults;
}

void ein_device_front_end_check_begin(ein_device_front_end_check_t *check)
{
    check->front_end = ein_device_port_front_end();
    if (check->front_end != NULL) {
        ein_self_test_begin(&check->test, check->front_end);
    } else {
        check->test.result = (ein_self_test_result_t){.verdict = EIN_SELF_TEST_NONE};
    }
}

bool ein_device_front_end_check_step(ein_device_front_end_check_t *check, uint8_t *faults)
{
    if (check->front_end != NULL && !ein_self_test_step(&check->test, check->front_end)) {
        return false;
    }
    check->front_end = NULL;
    const uint8_t verdict = check->test.result.verdict;
    const bool good = verdict == EIN_SELF_TEST_GOOD || verdict == EIN_SELF_TEST_NONE;
    *faults = (uint8_t)(good ? 0u : EIN_DEVICE_CHECK_FRONT_END);
    return true;
}
