/* What a front end says of itself: the noise with its inputs shorted, and its gain by the test
 * signal that the part makes. Takes 4 s, a step at a time; runs the front end, which is stopped
 * afterwards. RAM: 64 B.
 */
#ifndef EIN_SELF_TEST_H
#define EIN_SELF_TEST_H

#include "ein_front_end.h"

typedef enum {
    EIN_SELF_TEST_GOOD = 0,
    EIN_SELF_TEST_NONE = 1,   /* the part cannot test itself; it starts, no more is known */
    EIN_SELF_TEST_SILENT = 2, /* it does not start, or gives nothing */
    EIN_SELF_TEST_NOISY = 3,  /* more than EIN_SELF_TEST_NOISE_UV */
    EIN_SELF_TEST_GAIN = 4,   /* off by more than EIN_SELF_TEST_GAIN_PERMILLE */
} ein_self_test_verdict_t;

/* Peak to peak, shorted: three times what SBAS502C (7.7) and 19-8558 give as typical. */
#define EIN_SELF_TEST_NOISE_UV 30u
/* The test signals themselves are good to 2 % (SBAS502C, 7.5) and 3 % (19-8558, "VCAL"). */
#define EIN_SELF_TEST_GAIN_PERMILLE 60u

/* Half before an edge and half behind, beyond where the low-pass rings. */
#define EIN_SELF_TEST_SPAN 17u

typedef struct {
    uint16_t noise_uv;      /* peak to peak over a second; saturates */
    uint16_t gain_permille; /* of the nominal gain */
    uint8_t verdict;        /* ein_self_test_verdict_t */
} ein_self_test_result_t;

typedef struct {
    ein_self_test_result_t result;
    uint32_t since_us;
    int32_t step, edge; /* of the steepest edge: across it, and from one sample to the next */
    int16_t lowest, highest;
    int16_t last[EIN_SELF_TEST_SPAN]; /* newest first */
    uint16_t samples;
    uint8_t phase;
} ein_self_test_t;

void ein_self_test_begin(ein_self_test_t *test, ein_front_end_t *fe);

/* Once a turn of the main loop. True when it is done, and `result` stands. */
bool ein_self_test_step(ein_self_test_t *test, ein_front_end_t *fe);

#endif
