/* The loops of ein_nn_conv_lanes.c: two channels of all pairs of positions; private to it.
 *
 * For each pair and channel two words run along: `high`, the sum of the upper position, and `all`,
 * the sum of all words as they are. Each time that a word is taken apart, it holds 2^15 + low +
 * high * 2^16, 0 <= 2^15 + low < 2^16: all of it goes to `all`, and what an arithmetic shift by 16
 * leaves to `high`. In the end all - high * 2^16, modulo 2^32, is the lower position's sum, with
 * 2^15 for each time, which `start` holds already, negative.
 */
#ifndef EIN_NN_LANES_H
#define EIN_NN_LANES_H

#include <stddef.h>

#include "ein_nn_conv_finish.h"

/* The assembly counts on this order. */
typedef struct {
    const int8_t *weights, *end; /* 0, 4: of two channels, see ein_nn_conv.h */
    const uint32_t *marks;       /* 8: from the top bit on, 1: a block of two and two; behind the
                                    last block of a word a 1 that is no block, and zeros */
    const int32_t *inputs;       /* 12: of the next pair */
    int32_t step;                /* 16: bytes from one pair's inputs to the next one's */
    int8_t *out;                 /* 20: of the next pair's lower position */
    int32_t channels;            /* 24: from one position to the next */
    int32_t upper;               /* 28: from a pair's lower position to its upper one */
    int32_t second;              /* 32: 1; 0 if there is no second channel */
    int32_t pairs;               /* 36: still to do */
    struct {
        int32_t all, high;
    } start[2];            /* 40: of both channels */
    ein_nn_rest_t rest[2]; /* 56; on RV32 with twice the multiplier, instead of twice the sum */
    const uint32_t *next_marks; /* 80: for the loop only */
#if EIN_NN_RV32
    int32_t saved[13]; /* 84: the caller's registers, here for the compiler's stack figures */
#endif
} ein_nn_lanes_t;

/* Pairs of positions below which ein_nn_lanes takes none. */
#define EIN_NN_LANES_MIN_PAIRS (EIN_NN_RV32 ? 2 : 1)

void ein_nn_lanes(ein_nn_lanes_t *lanes);

#endif
