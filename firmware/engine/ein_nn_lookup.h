/* A function of one value as a table: LOGISTIC, TANH, HARD_SWISH, LEAKY_RELU, RELU, RELU6; ADD, SUB
 * and MUL with one constant; QUANTIZE from and to uint8.
 *
 * out[i] = table[in[i] + 128]. The generator fills the table (codegen/engine/lookup.py), so that
 * any function costs the same and nothing depends on the data. `out` may be `in` or begin before
 * it. Flash: 256 bytes per op.
 */
#ifndef EIN_NN_LOOKUP_H
#define EIN_NN_LOOKUP_H

#include <stdint.h>

void ein_nn_lookup(const int8_t *table, const int8_t *in, int8_t *out, int32_t size);

#endif
