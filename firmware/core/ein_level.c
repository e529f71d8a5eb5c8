#include "ein_level.h"

void ein_level_clear(ein_level_t *level)
{
    *level = (ein_level_t){.median = 0};
}

void ein_level_add(ein_level_t *level, uint32_t value)
{
    level->value[level->next] = value;
    level->next = (uint8_t)((level->next + 1u) % EIN_LEVEL_VALUES);
    if (level->count < EIN_LEVEL_VALUES)
        level->count++;

    uint32_t sorted[EIN_LEVEL_VALUES];
    for (uint32_t i = 0; i < level->count; i++) {
        uint32_t j = i;
        for (; j > 0 && sorted[j - 1] > level->value[i]; j--)
            sorted[j] = sorted[j - 1];
        sorted[j] = level->value[i];
    }
    uint32_t quarter = level->count / 4u;
    level->low = sorted[quarter];
    level->high = sorted[level->count - 1u - quarter];
    level->median = (sorted[(level->count - 1u) / 2u] + sorted[level->count / 2u]) / 2u;
}
