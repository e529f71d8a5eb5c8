/* Ops that only move bytes: padding and concatenation. */
#ifndef EIN_NN_COPY_H
#define EIN_NN_COPY_H

#include <stdint.h>

/* `rows` rows of `bytes` each, from rows that lie `from_step` apart to rows that lie `to_step`
   apart. in and out do not overlap. One call per input concatenates along the channels. */
void ein_nn_copy(const int8_t *from, int8_t *to, int32_t rows, int32_t bytes, int32_t from_step,
                 int32_t to_step);

void ein_nn_fill(int8_t *to, int32_t bytes, int8_t value);

#endif
