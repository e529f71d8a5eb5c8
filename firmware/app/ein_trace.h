/* The newest samples of a session in stream mode, for whoever watches it: a ring of coded blocks
 * that stay until they are acknowledged.
 *
 * A sample cannot wait: without room the oldest block goes, and nothing more is sent before someone
 * has asked again, who sees by the blocks' numbers of samples what is missing. RAM: 1.1 KB, which
 * is 5 s of ECG at 180 Hz.
 */
#ifndef EIN_TRACE_H
#define EIN_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "ein_samples_encoder.h"

/* A third of a second: what a picture may be late, and 1 byte a sample on the line. */
#define EIN_TRACE_BLOCK_SAMPLES 60u
#define EIN_TRACE_CODE_BYTES 54u
#define EIN_TRACE_BLOCKS 16u /* one of them is being filled */

typedef struct {
    uint32_t start; /* index of its first sample */
    uint32_t lost;  /* samples right before it that the ADC has lost */
    uint8_t count;
    uint8_t size; /* of the code */
    uint8_t code[EIN_TRACE_CODE_BYTES];
} ein_trace_block_t;

typedef struct {
    uint32_t session;              /* whose samples these are; 0: there were none yet */
    uint32_t first, next;          /* blocks kept: first <= number < next */
    uint32_t next_sample;          /* after the last one of them */
    bool sending;                  /* someone watches and has acknowledged in time */
    ein_samples_encoder_t encoder; /* of the block that is being filled */
    ein_trace_block_t blocks[EIN_TRACE_BLOCKS];
} ein_trace_t;

/* Forgets all blocks; who watches goes on watching. */
void ein_trace_start(ein_trace_t *trace, uint32_t session);

/* Takes a sample. True: it has completed the block next - 1. */
bool ein_trace_push(ein_trace_t *trace, int16_t sample);

/* So many samples were lost before the one that is pushed next. True as above. */
bool ein_trace_gap(ein_trace_t *trace, uint32_t lost);

/* Completes the block that is being filled, if it holds a sample or a gap. True as above. */
bool ein_trace_close(ein_trace_t *trace);

/* Frees the blocks all of whose samples are before `sample`. A sample that was never taken is
   ignored. */
void ein_trace_acknowledge(ein_trace_t *trace, uint32_t sample);

/* Index of the first sample that is kept, or was lost right before that. */
uint32_t ein_trace_first_sample(const ein_trace_t *trace);

/* The block with that number, first <= number < next. */
static inline const ein_trace_block_t *ein_trace_at(const ein_trace_t *trace, uint32_t number)
{
    return &trace->blocks[number % EIN_TRACE_BLOCKS];
}

#endif
