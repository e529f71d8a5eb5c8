/* Convolution of five taps, four products per multiplication where there is SMLAL.
 *
 * SMLAL multiplies 32 by 32 bits and adds to 64. With B = 2^21 and two inputs and two weights in a
 * word each, (x0 + x1 B)(w1 + w0 B) = x0 w1 + (x0 w0 + x1 w1) B + x1 w0 B^2: what the polynomials
 * x0 + x1 z and w1 + w0 z give, and so parts of three neighbouring positions of the convolution, in
 * lanes of 21, 21 and 22 bits, in which all input channels and taps are summed up. The sums are
 * exact: the generator proves 128 * sum |w| < 2^20 for every output channel.
 *
 * A layer as ein_nn_conv wants it, of kernel 5, stride 1, dilation 1, in_channels a multiple of 4
 * and at most 32, out_channels even. In builds without DSP instructions it is ein_nn_conv, with
 * that one's wide weights; else weights are words, per pair of output channels [in_channels][3][2
 * channels]: taps 2m and 2m + 1, the sixth 0.
 *
 * Flash: 12 * in_channels + 12 bytes per output channel. RAM: the scratch, words of inputs,
 * [in_channels][EIN_NN_POLY_PITCH]: rows 2j and 2j + 1 of a channel. chunk is at most 34.
 */
#ifndef EIN_NN_CONV_POLY_H
#define EIN_NN_CONV_POLY_H

#include "ein_nn_conv.h"

#define EIN_NN_POLY_PITCH 20
#define EIN_NN_POLY_MAX_CHANNELS 32

/* As ein_nn_conv and ein_nn_conv_rows. */
void ein_nn_conv_poly(const ein_nn_conv_t *layer, const int8_t *in, int8_t *out, int16_t *scratch);
void ein_nn_conv_poly_rows(const ein_nn_conv_t *layer, const int8_t *in, int8_t *out,
                           int16_t *scratch, int32_t first, int32_t rows);

#endif
