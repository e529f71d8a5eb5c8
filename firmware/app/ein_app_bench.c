/* One inference on a tensor from the host: of the model or, in a build with EIN_NETWORK, of the
   second network that the firmware then carries, with one input of its own (docs/boards.md). */
#include "ein_app_state.h"

#include <string.h>

#include "ein_crc32.h"

#ifdef EIN_NETWORK
#include "ein_network.h"
#include "ein_port.h"

typedef char ein_check_outputs[EIN_NETWORK_OUTPUTS <= EIN_CLASSES ? 1 : -1];

static uint32_t network_arena[(EIN_NETWORK_ARENA_BYTES + 3u) / 4u];
static int8_t input[EIN_NETWORK_INPUT_BYTES];
#define INPUT input

static void infer(ein_app_t *app, ein_wire_bench_reply_t *reply)
{
    (void)app;
    const uint32_t before = ein_port_count();
    memset(reply->logits, 0, sizeof(reply->logits));
    ein_network_infer(network_arena, input, reply->logits);
    reply->count = ein_port_count() - before;
    memcpy(reply->unadapted, reply->logits, sizeof(reply->logits));
}

bool ein_app_on_network(ein_app_t *app, const ein_frame_t *frame)
{
    if (frame->size != EIN_WIRE_NETWORK_SIZE) {
        return false;
    }
    static const uint8_t sha256[32] = EIN_NETWORK_SHA256_BYTES;
    ein_wire_network_reply_t reply = {
        .input_bytes = EIN_NETWORK_INPUT_BYTES,
        .outputs = EIN_NETWORK_OUTPUTS,
        .arena_bytes = EIN_NETWORK_ARENA_BYTES,
        .network = EIN_NETWORK_NAME,
    };
    memcpy(reply.sha256, sha256, sizeof(sha256));
    ein_app_send(app, EIN_WIRE_NETWORK_REPLY, frame->sequence,
                 ein_wire_put_network_reply(ein_app_payload(app), &reply));
    return true;
}
#else
#define INPUT app->bench

static void infer(ein_app_t *app, ein_wire_bench_reply_t *reply)
{
    int8_t embedding[EIN_STRIP_EMBEDDING];
    reply->count = ein_session_infer(&INPUT, reply->logits, reply->unadapted, embedding);
}
#endif

bool ein_app_on_tensor(ein_app_t *app, const ein_frame_t *frame)
{
    ein_wire_tensor_t piece;
    if (!ein_wire_get_tensor(&piece, frame->payload, frame->size)) {
        return false;
    }
    if ((size_t)piece.offset + piece.bytes_size > sizeof(INPUT)) {
        ein_app_send_error(app, frame->sequence, EIN_WIRE_ERROR_BAD_TENSOR,
                           "piece beyond the tensor's end");
        return true;
    }
    memcpy((uint8_t *)&INPUT + piece.offset, piece.bytes, piece.bytes_size);
    return true;
}

bool ein_app_on_bench(ein_app_t *app, const ein_frame_t *frame)
{
    ein_wire_bench_t bench;
    if (!ein_wire_get_bench(&bench, frame->payload, frame->size)) {
        return false;
    }
    ein_wire_bench_reply_t reply;
    reply.tensor_crc = ein_crc32(0, &INPUT, sizeof(INPUT));
    if (reply.tensor_crc != bench.tensor_crc) {
        ein_app_send_error(app, frame->sequence, EIN_WIRE_ERROR_BAD_TENSOR,
                           "the tensor's CRC-32 differs");
        return true;
    }
    infer(app, &reply);
    ein_app_send(app, EIN_WIRE_BENCH_REPLY, frame->sequence,
                 ein_wire_put_bench_reply(ein_app_payload(app), &reply));
    return true;
}
