/* libFuzzer target: any bytes through the frame decoder, every good frame through the messages, and
   the bytes also taken as a payload and as code of samples, since a CRC keeps most mutations out.
     clang -fsanitize=fuzzer,address,undefined … (make fuzz) */
#include <stdlib.h>
#include <string.h>

#include "ein_frame.h"
#include "ein_samples.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good)
{
    if (!good) {
        abort();
    }
}

static void read_samples(const uint8_t *code, size_t size)
{
    ein_samples_t samples;
    ein_samples_init(&samples, code, size);
    int16_t value;
    size_t n = 0;
    while (ein_samples_next(&samples, &value)) {
        n++;
        require(n <= 8 * size); /* a sample takes at least a bit */
    }
    ein_samples_ended(&samples);
}

/* Fields that point into the payload must stay within it. */
static void read_messages(const uint8_t *payload, size_t size)
{
    ein_wire_hello_t hello;
    ein_wire_start_t start;
    ein_wire_samples_t samples;
    ein_wire_poll_t poll;
    ein_wire_finish_t finish;
    ein_wire_tensor_t tensor;
    ein_wire_bench_t bench;
    ein_wire_watch_t watch;
    ein_wire_get_hello(&hello, payload, size);
    ein_wire_get_start(&start, payload, size);
    ein_wire_get_poll(&poll, payload, size);
    ein_wire_get_finish(&finish, payload, size);
    ein_wire_get_bench(&bench, payload, size);
    ein_wire_get_watch(&watch, payload, size);
    if (ein_wire_get_samples(&samples, payload, size)) {
        require(samples.code + samples.code_size == payload + size);
        read_samples(samples.code, samples.code_size);
    }
    if (ein_wire_get_tensor(&tensor, payload, size)) {
        require(tensor.bytes + tensor.bytes_size == payload + size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ein_frame_decoder_t decoder;
    ein_frame_decoder_init(&decoder);
    size_t accepted = 0;
    for (size_t i = 0; i < size; i++) {
        ein_frame_t frame;
        if (ein_frame_decoder_push(&decoder, data[i], &frame)) {
            require(frame.size <= EIN_WIRE_MAX_PAYLOAD);
            accepted += frame.size + 2u + EIN_FRAME_CRC_BYTES + 1u;
            read_messages(frame.payload, frame.size);
        }
    }
    require(accepted + decoder.rejected_bytes <= size);

    size_t payload = size < EIN_WIRE_MAX_PAYLOAD ? size : EIN_WIRE_MAX_PAYLOAD;
    uint8_t *exact = malloc(payload + 1); /* so that a byte too far is seen */
    require(exact != NULL);
    memcpy(exact, data, payload);
    read_messages(exact, payload);
    read_samples(exact, payload);

    /* What is encoded comes back. */
    uint8_t buffer[EIN_FRAME_MAX];
    memcpy(buffer + EIN_FRAME_PAYLOAD_AT, exact, payload);
    size_t encoded = ein_frame_encode(buffer, 0xA5, 0, payload);
    ein_frame_decoder_init(&decoder);
    for (size_t i = 0; i < encoded; i++) {
        ein_frame_t frame;
        bool complete = ein_frame_decoder_push(&decoder, buffer[i], &frame);
        require(complete == (i + 1 == encoded));
        if (complete) {
            require(frame.size == payload && memcmp(frame.payload, exact, payload) == 0);
        }
    }
    free(exact);
    return 0;
}
