/* Ops that take turns: a list of which computes which rows, in order. Generated code walks through
 * it, so that a tensor's rows are used up, and their bytes free, soon after they were written.
 */
#ifndef EIN_NN_CALL_H
#define EIN_NN_CALL_H

#include <stdint.h>

typedef struct {
    int16_t op, first, rows; /* rows 0 ends the list */
} ein_nn_call_t;

#endif
