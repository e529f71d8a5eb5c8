/* What the models of one program share; each has a file of its own, which many_models.py writes. */
#ifndef BARE_MANY_H
#define BARE_MANY_H

#include <stdint.h>

/* Before an inference: fills the arena with noise, because its contents must not matter. */
void bare_many_begin(uint8_t *arena, uint32_t bytes);

/* After every op, or some rows of it where ops take turns: prints the tensor's number, the bytes,
   and their CRC-32. */
void bare_many_layer(int32_t tensor, const int8_t *data, int32_t bytes);

/* Infers each of its vectors. Arena and outputs lie so that they end where the arguments say: what
   is written beyond is beyond the arrays. */
typedef void (*bare_many_t)(uint8_t *arena_end, int8_t *outputs_end);

#endif
