/* Convolution with two products per multiplication, for cores that multiply 32 bits by 32 into 32.
 *
 * Two positions' inputs lie in one word, x0 + x1 * 2^16, and a word times a weight is two products,
 * 16 bits apart. Sums of a few such words are taken apart before a half of theirs can overflow: the
 * low half is made positive by 2^15, so that an arithmetic shift by 16 gives the high half's sum,
 * and the low one's follows from the sum of all words, modulo 2^32 (ein_nn_lanes_t).
 *
 * A few: four products, where the generator has proved from the weights that neither half leaves 16
 * bits, whatever the inputs; else two, which is always right, since a weight is -127 at least.
 * Which of the two is told by a mark per block of four input values and pair of channels.
 *
 * Cores: Cortex-M0 and M3 (Thumb without DSP instructions) and RV32 with M. Elsewhere this is
 * ein_nn_conv, with the same weights.
 *
 * Flash: as ein_nn_conv, and a word of marks per 31 blocks and pair of channels. RAM: the scratch.
 */
#ifndef EIN_NN_CONV_LANES_H
#define EIN_NN_CONV_LANES_H

#include "ein_nn_conv.h"

#if EIN_NN_LANES

/* As ein_nn_conv and ein_nn_conv_rows; `marks` is not NULL.
 *
 * scratch: 4-byte aligned, for a chunk of n positions (n - n / 2 - 1) * step + depth words; what
 * ein_nn_conv needs if n is below EIN_NN_LANES_POSITIONS. */
void ein_nn_conv_lanes(const ein_nn_conv_t *layer, const int8_t *in, int8_t *out, int16_t *scratch);
void ein_nn_conv_lanes_rows(const ein_nn_conv_t *layer, const int8_t *in, int8_t *out,
                            int16_t *scratch, int32_t first, int32_t rows);

#else

#define ein_nn_conv_lanes ein_nn_conv
#define ein_nn_conv_lanes_rows ein_nn_conv_rows

#endif

/* What is called when code is generated for size: RV32 has no other loop for many positions, on a
 * Cortex-M the plain one is smaller. */
#if EIN_NN_RV32
#define ein_nn_conv_small ein_nn_conv_lanes
#define ein_nn_conv_small_rows ein_nn_conv_lanes_rows
#else
#define ein_nn_conv_small ein_nn_conv
#define ein_nn_conv_small_rows ein_nn_conv_rows
#endif
#endif
