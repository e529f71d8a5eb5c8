/* A dense layer of some size: four products of three instructions on Cortex-M4 and its like.
 *
 * Of two weights, e and o, the generator writes o's byte one smaller where e is negative; the
 * halfword of both is then e + 256 o. With its inputs x and y
 *
 *     y (e + 256 o) + (256 x - y) e = 256 (x e + y o).
 *
 * SMLAD takes the first product of two halfwords as they lie, and the second with what one SXTB16
 * cuts out of them. 256 x - y + 127 fits 16 bits whatever x and y are: the biases are 256 times as
 * large and less 127 times the sum of their channel's e. A sum wraps on its way; the generator
 * proves |bias| + 128 * sum |w| < 2^23, so that its end does not, and that no weight is -128.
 *
 * A layer as ein_nn_conv wants it, of one position, in_channels a multiple of 4, out_channels of 2.
 * In other builds it is ein_nn_conv, with that one's weights and biases: the generator's text gives
 * either.
 *
 * Weights: as ein_nn_conv's, the four values in their own order. RAM: the scratch, 2 * depth bytes.
 */
#ifndef EIN_NN_DENSE_H
#define EIN_NN_DENSE_H

#include "ein_nn_conv.h"

#if EIN_NN_DSP_DENSE
#define EIN_NN_DENSE4(a, b, c, d) (a), (b) - ((a) < 0), (c), (d) - ((c) < 0)
#define EIN_NN_DENSE_BIAS(plain, carried) (carried)
#else
#define EIN_NN_DENSE4(a, b, c, d) (a), (c), (b), (d)
#define EIN_NN_DENSE_BIAS(plain, carried) (plain)
#endif

void ein_nn_dense(const ein_nn_conv_t *layer, const int8_t *in, int8_t *out, int16_t *scratch);

#endif
