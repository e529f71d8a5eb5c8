/* The generated coefficients, an object each: the linker keeps the one that is used. */
#include "ein_decimator.h"

#define TABLE(rate)                                                                                \
    static const int16_t coef_##rate[] = {EIN_DECIMATOR_##rate##_Q15};                             \
    const ein_decimator_table_t ein_decimator_##rate = {                                           \
        .rate_hz = rate,                                                                           \
        .up = EIN_DECIMATOR_##rate##_UP,                                                           \
        .taps = EIN_DECIMATOR_##rate##_TAPS,                                                       \
        .down = EIN_DECIMATOR_##rate##_DOWN,                                                       \
        .delay_us = EIN_DECIMATOR_##rate##_DELAY_US,                                               \
        .coef_q15 = coef_##rate,                                                                   \
    };

TABLE(250)
TABLE(360)
TABLE(500)
TABLE(512)
TABLE(1000)
