/* What all parts share. */
#include "ein_part.h"

ein_sim_faults_t ein_sim_faults;
bool ein_part_restarted;
static uint32_t random_state;

void ein_part_seed(uint32_t seed)
{
    random_state = seed;
}

int32_t ein_part_random(int32_t peak)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (int32_t)((int64_t)(random_state >> 8) * (2 * peak + 1) / (1 << 24)) - peak;
}
