/* Bytes in another order: TRANSPOSE, STRIDED_SLICE, SPLIT, RESIZE_NEAREST_NEIGHBOR and the like.
 *
 * As many loops as counts, the last the fastest: out, dense, takes in[offset + sum of each loop's
 * index times its step]. in and out do not overlap.
 */
#ifndef EIN_NN_MOVE_H
#define EIN_NN_MOVE_H

#include <stdint.h>

#define EIN_NN_MOVE_LOOPS 6

typedef struct {
    int32_t offset;
    int32_t counts[EIN_NN_MOVE_LOOPS]; /* > 0 */
    int32_t steps[EIN_NN_MOVE_LOOPS];  /* may be 0 or negative */
} ein_nn_move_t;

void ein_nn_move(const ein_nn_move_t *move, const int8_t *in, int8_t *out);

#endif
