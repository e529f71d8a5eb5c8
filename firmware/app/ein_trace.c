#include "ein_trace.h"

static ein_trace_block_t *open_block(ein_trace_t *trace)
{
    return &trace->blocks[trace->next % EIN_TRACE_BLOCKS];
}

static void begin(ein_trace_t *trace, uint32_t start)
{
    ein_trace_block_t *block = open_block(trace);
    block->start = start;
    block->lost = 0;
    block->count = 0;
    ein_samples_encoder_init(&trace->encoder, block->code, EIN_TRACE_CODE_BYTES);
}

void ein_trace_start(ein_trace_t *trace, uint32_t session)
{
    trace->session = session;
    trace->first = 0;
    trace->next = 0;
    trace->next_sample = 0;
    begin(trace, 0);
}

bool ein_trace_close(ein_trace_t *trace)
{
    ein_trace_block_t *block = open_block(trace);
    if (block->count == 0 && block->lost == 0) {
        return false;
    }
    block->size = (uint8_t)ein_samples_encoder_size(&trace->encoder);
    trace->next_sample = block->start + block->count;
    trace->next++;
    if (trace->next - trace->first == EIN_TRACE_BLOCKS) {
        trace->first++;
        trace->sending = false; /* until its reader comes and hears what is missing */
    }
    begin(trace, trace->next_sample);
    return true;
}

bool ein_trace_push(ein_trace_t *trace, int16_t sample)
{
    bool closed = false;
    if (!ein_samples_encoder_put(&trace->encoder, sample)) {
        closed = ein_trace_close(trace);
        (void)ein_samples_encoder_put(&trace->encoder, sample); /* an empty block has room */
    }
    ein_trace_block_t *block = open_block(trace);
    block->count++;
    return block->count == EIN_TRACE_BLOCK_SAMPLES ? ein_trace_close(trace) : closed;
}

bool ein_trace_gap(ein_trace_t *trace, uint32_t lost)
{
    const bool closed = open_block(trace)->count > 0 && ein_trace_close(trace);
    ein_trace_block_t *block = open_block(trace);
    block->lost += lost;
    block->start += lost;
    return closed;
}

void ein_trace_acknowledge(ein_trace_t *trace, uint32_t sample)
{
    if (sample > trace->next_sample) {
        return;
    }
    while (trace->first != trace->next) {
        const ein_trace_block_t *block = ein_trace_at(trace, trace->first);
        if (block->start + block->count > sample) {
            break;
        }
        trace->first++;
    }
}

uint32_t ein_trace_first_sample(const ein_trace_t *trace)
{
    if (trace->first == trace->next) {
        return trace->next_sample;
    }
    const ein_trace_block_t *block = ein_trace_at(trace, trace->first);
    return block->start - block->lost;
}
