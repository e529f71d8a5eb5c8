/* A dense layer that runs with its own parameters or with a patient's.
 *
 * A head holds, for each of the model's last dense layers, the weights as ein_nn_conv.h lays them
 * out and after them the scales (ein_nn_head_scale_t, an even number of them). Tensors keep their
 * units: a head's factors are the model's, only weights and biases differ.
 *
 * RAM: a copy of the layer's description on the stack, 48 B.
 */
#ifndef EIN_NN_HEAD_H
#define EIN_NN_HEAD_H

#include <stdbool.h>

#include "ein_nn_conv.h"

/* Slots and hosts that know another layout of a head must not take it for this one. */
#define EIN_NN_HEAD_LAYOUT 1u

typedef struct {
    int32_t bias, multiplier;
    uint8_t left, right;
} ein_nn_head_scale_t;

/* Whether the layer's part of a head, at `part` (4-byte aligned), is safe to run: its factors are
   the layer's own, and no sum of int8 inputs can leave 30 bits, before or after the shift left. */
bool ein_nn_head_fits(const ein_nn_conv_t *layer, const int8_t *part);

/* ein_nn_conv with the parameters at `offset` of `head`, or the layer's own where `head` is NULL.
 */
void ein_nn_head_conv(const ein_nn_conv_t *layer, const int8_t *head, int32_t offset,
                      const int8_t *in, int8_t *out, int16_t *scratch);

#endif
