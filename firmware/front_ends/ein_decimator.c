#include "ein_decimator.h"

#include <string.h>

void ein_decimator_init(ein_decimator_t *decimator, const ein_decimator_table_t *table)
{
    memset(decimator, 0, sizeof(*decimator));
    decimator->table = table;
}

static int16_t saturate(int32_t value)
{
    return (int16_t)(value > INT16_MAX ? INT16_MAX : value < INT16_MIN ? INT16_MIN : value);
}

bool ein_decimator_push(ein_decimator_t *decimator, int16_t sample, int16_t *out)
{
    const ein_decimator_table_t *table = decimator->table;
    const uint32_t taps = table->taps;
    const uint32_t newest = decimator->newest == 0 ? taps - 1u : decimator->newest - 1u;
    decimator->newest = (uint8_t)newest;
    decimator->history[newest] = sample;
    const uint32_t phase = decimator->phase;
    if (phase >= table->up) {
        decimator->phase = (uint16_t)(phase - table->up);
        return false;
    }
    decimator->phase = (uint16_t)(phase + table->down - table->up);
    const int16_t *coef = table->coef_q15 + phase * taps;
    int32_t sum = 1 << 14;
    for (uint32_t i = newest; i < taps; i++) {
        sum += *coef++ * decimator->history[i];
    }
    for (uint32_t i = 0; i < newest; i++) {
        sum += *coef++ * decimator->history[i];
    }
    *out = saturate(sum >> 15);
    return true;
}

uint32_t ein_decimator_skip(ein_decimator_t *decimator, uint32_t n)
{
    const uint32_t up = decimator->table->up;
    const uint32_t down = decimator->table->down;
    uint32_t outputs = 0;
    /* Whole turns of M samples make L outputs and leave the phase. */
    outputs += n / down * up;
    for (uint32_t left = n % down; left > 0; left--) {
        if (decimator->phase < up) {
            decimator->phase = (uint16_t)(decimator->phase + down - up);
            outputs++;
        } else {
            decimator->phase = (uint16_t)(decimator->phase - up);
        }
    }
    return outputs;
}
