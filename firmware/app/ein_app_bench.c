/* One inference on a tensor from the host. */
#include "ein_app_state.h"

#include <string.h>

#include "ein_crc32.h"

bool ein_app_on_tensor(const ein_frame_t *frame)
{
    ein_wire_tensor_t piece;
    if (!ein_wire_get_tensor(&piece, frame->payload, frame->size)) {
        return false;
    }
    if ((size_t)piece.offset + piece.bytes_size > sizeof(ein_app.bench)) {
        ein_app_send_error(frame->sequence, EIN_WIRE_ERROR_BAD_TENSOR,
                           "piece beyond the tensor's end");
        return true;
    }
    memcpy((uint8_t *)&ein_app.bench + piece.offset, piece.bytes, piece.bytes_size);
    return true;
}

bool ein_app_on_bench(const ein_frame_t *frame)
{
    ein_wire_bench_t bench;
    if (!ein_wire_get_bench(&bench, frame->payload, frame->size)) {
        return false;
    }
    ein_wire_bench_reply_t reply;
    reply.tensor_crc = ein_crc32(0, &ein_app.bench, sizeof(ein_app.bench));
    if (reply.tensor_crc != bench.tensor_crc) {
        ein_app_send_error(frame->sequence, EIN_WIRE_ERROR_BAD_TENSOR,
                           "the tensor's CRC-32 differs");
        return true;
    }
    reply.count = ein_session_infer(&ein_app.bench, reply.logits, reply.unadapted);
    ein_app_send(EIN_WIRE_BENCH_REPLY, frame->sequence,
                 ein_wire_put_bench_reply(ein_app_payload(), &reply));
    return true;
}
