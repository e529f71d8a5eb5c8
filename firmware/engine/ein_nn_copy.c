#include "ein_nn_copy.h"

#include <string.h>

void ein_nn_copy(const int8_t *from, int8_t *to, int32_t rows, int32_t bytes, int32_t from_step,
                 int32_t to_step)
{
    for (int32_t row = 0; row < rows; row++)
        memcpy(to + row * to_step, from + row * from_step, (size_t)bytes);
}

void ein_nn_fill(int8_t *to, int32_t bytes, int8_t value)
{
    memset(to, value, (size_t)bytes);
}
