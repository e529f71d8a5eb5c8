/* Runs the case table of codegen/spec/wire.toml through the board's side: frames whole and byte by
   byte into a fresh decoder, messages through their get and put functions, samples through their
   decoder. Prints what differs; the exit code says whether anything did. */
#include <stdio.h>
#include <string.h>

#include "ein_frame.h"
#include "ein_samples.h"
#include "ein_samples_encoder.h"
#include "ein_wire_cases.h"

static int failures;

static void check(bool good, const char *name, const char *what)
{
    if (!good) {
        printf("FAIL %s: %s\n", name, what);
        failures++;
    }
}

static void check_frame(const ein_wire_case_t *c, size_t n, const ein_frame_t *frame)
{
    if (n >= c->n_frames) {
        check(false, c->name, "a frame too many");
        return;
    }
    const ein_wire_case_frame_t *expected = &c->frames[n];
    check(frame->type == expected->type, c->name, "type");
    check(frame->sequence == expected->sequence, c->name, "sequence");
    check(frame->size == expected->size, c->name, "payload size");
    if (frame->size == expected->size) {
        check(memcmp(frame->payload, expected->payload, frame->size) == 0, c->name, "payload");
    }

    /* What comes out goes in again, byte for byte. */
    uint8_t buffer[EIN_FRAME_MAX];
    memcpy(buffer + EIN_FRAME_PAYLOAD_AT, expected->payload, expected->size);
    size_t size = ein_frame_encode(buffer, expected->type, expected->sequence, expected->size);
    ein_frame_decoder_t again;
    ein_frame_decoder_init(&again);
    ein_frame_t decoded;
    bool complete = false;
    for (size_t i = 0; i < size; i++) {
        check(!complete, c->name, "delimiter within an encoded frame");
        complete = ein_frame_decoder_push(&again, buffer[i], &decoded);
    }
    check(complete, c->name, "encoded frame does not decode");
    if (c->n_frames == 1 && c->rejected_frames == 0 && c->n_bytes == size) {
        check(memcmp(buffer, c->bytes, size) == 0, c->name, "encoded bytes");
    }
}

static void check_case(ein_frame_decoder_t *decoder, const ein_wire_case_t *c)
{
    uint32_t frames_before = decoder->rejected_frames;
    uint32_t bytes_before = decoder->rejected_bytes;
    size_t n = 0;
    for (size_t i = 0; i < c->n_bytes; i++) {
        ein_frame_t frame;
        if (ein_frame_decoder_push(decoder, c->bytes[i], &frame)) {
            check_frame(c, n, &frame);
            n++;
        }
    }
    check(n == c->n_frames, c->name, "number of frames");
    check(decoder->rejected_frames - frames_before == c->rejected_frames, c->name,
          "rejected frames");
    check(decoder->rejected_bytes - bytes_before == c->rejected_bytes, c->name, "rejected bytes");
}

static void check_samples(const ein_wire_sample_case_t *c)
{
    ein_samples_t samples;
    ein_samples_init(&samples, c->code, c->size);
    bool good = true;
    for (size_t i = 0; good && i < c->count; i++) {
        int16_t value = 0;
        good = ein_samples_next(&samples, &value);
        check(!good || !c->valid || value == c->samples[i], c->name, "sample");
    }
    good = good && ein_samples_ended(&samples);
    check(good == c->valid, c->name, "validity");
    if (!c->valid) {
        return;
    }
    uint8_t code[256];
    ein_samples_encoder_t encoder;
    ein_samples_encoder_init(&encoder, code, sizeof(code));
    for (size_t i = 0; i < c->count; i++) {
        check(ein_samples_encoder_put(&encoder, c->samples[i]), c->name, "room");
    }
    const size_t size = ein_samples_encoder_size(&encoder);
    check(size == c->size && memcmp(code, c->code, size) == 0, c->name, "encoded samples");
}

int main(void)
{
    size_t n_cases = sizeof(ein_wire_cases) / sizeof(ein_wire_cases[0]);
    for (size_t i = 0; i < n_cases; i++) {
        ein_frame_decoder_t decoder;
        ein_frame_decoder_init(&decoder);
        check_case(&decoder, &ein_wire_cases[i]);
    }

    /* One decoder for all: no case leaves anything behind for the next, once a delimiter closed it.
     */
    ein_frame_decoder_t decoder;
    ein_frame_decoder_init(&decoder);
    for (size_t i = 0; i < n_cases; i++) {
        const ein_wire_case_t *c = &ein_wire_cases[i];
        if (c->n_bytes > 0 && c->bytes[c->n_bytes - 1] == 0) {
            check_case(&decoder, c);
        }
    }
    check(ein_wire_check_messages() == 0, "messages", "get or put differs");

    size_t n_samples = sizeof(ein_wire_sample_cases) / sizeof(ein_wire_sample_cases[0]);
    for (size_t i = 0; i < n_samples; i++) {
        check_samples(&ein_wire_sample_cases[i]);
    }
    printf("%zu frame cases, %zu sample cases, %d failures\n", n_cases, n_samples, failures);
    return failures == 0 ? 0 : 1;
}
