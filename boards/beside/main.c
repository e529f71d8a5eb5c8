/* The model of a front end's part as a process beside an emulated chip, which asks it over two
 * pipes (boards/models/ein_beside.h).
 *
 *     beside PART SIGNAL PIPES [FAULTS]
 *
 * SIGNAL and FAULTS as in script.h; the pipes are PIPES.out, from the chip, and PIPES.in. It ends
 * when the chip does. einthoven/hil_tests/harness/beside.py starts it.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "ein_beside.h"
#include "ein_bus.h"
#include "script.h"

#define PS_PER_US 1000000u
#define BLOCK 8u
#define BLOCKS (EIN_BUS_ADC_MOST / BLOCK)

static uint64_t chip_us; /* its clock, without wrapping */
static bool edge;
static struct {
    uint16_t values[BLOCK];
    uint16_t lost;
    uint32_t us;
} blocks[BLOCKS];
static uint32_t head, tail;

static void on_edge(void *context, uint32_t us)
{
    (void)context;
    (void)us;
    edge = true;
}

static void on_adc(void *context, const uint16_t *values, size_t n, uint32_t lost, uint32_t us)
{
    (void)context;
    memcpy(blocks[head % BLOCKS].values, values, n * sizeof(*values));
    blocks[head % BLOCKS].lost = (uint16_t)lost;
    blocks[head % BLOCKS].us = us;
    head++;
}

static void take_block(ein_beside_reply_t *reply)
{
    if (head == tail) {
        return;
    }
    reply->conversions = BLOCK;
    memcpy(reply->values, blocks[tail % BLOCKS].values, sizeof(reply->values));
    reply->lost = blocks[tail % BLOCKS].lost;
    reply->us = blocks[tail % BLOCKS].us;
    tail++;
}

static void follow_clock(uint32_t us)
{
    chip_us += (uint32_t)(us - (uint32_t)chip_us);
    ein_script_follow();
    ein_sim_run(chip_us * PS_PER_US);
    if (head == tail) {
        ein_bus_serve(); /* the others wait in the model */
    }
}

static bool answer(const ein_beside_request_t *request, ein_beside_reply_t *reply)
{
    const uint8_t n = request->n > EIN_BESIDE_BYTES ? EIN_BESIDE_BYTES : request->n;
    switch (request->operation) {
    case EIN_BESIDE_RUN:
        if (request->argument == 1) {
            take_block(reply);
        }
        return true;
    case EIN_BESIDE_SPI:
        return ein_bus_spi(request->argument, request->bytes, reply->bytes, n);
    case EIN_BESIDE_SET:
        ein_bus_set((ein_bus_pin_t)request->argument, request->bytes[0] != 0);
        return true;
    case EIN_BESIDE_GET:
        reply->bytes[0] = ein_bus_get((ein_bus_pin_t)request->argument) ? 1u : 0u;
        return true;
    case EIN_BESIDE_LISTEN:
        edge = false;
        ein_bus_listen(on_edge, NULL);
        return true;
    case EIN_BESIDE_ADC:
        head = tail = 0;
        return ein_bus_adc(500, on_adc, NULL);
    case EIN_BESIDE_STOP:
        ein_bus_stop();
        edge = false;
        head = tail = 0;
        return true;
    default:
        return false;
    }
}

/* From the request on; 0: never. */
static uint32_t next_us(void)
{
    const uint64_t next_ps = ein_sim_next_ps();
    if (next_ps == 0) {
        return 0;
    }
    const uint64_t due_us = next_ps / PS_PER_US + 1u;
    const uint64_t in_us = due_us > chip_us ? due_us - chip_us : 1u;
    return in_us > 1000000u ? 1000000u : (uint32_t)in_us;
}

static FILE *open_pipe(const char *name, const char *end, const char *mode)
{
    char path[512];
    if ((size_t)snprintf(path, sizeof(path), "%s%s", name, end) >= sizeof(path)) {
        return NULL;
    }
    FILE *file = fopen(path, mode);
    if (file != NULL) {
        setvbuf(file, NULL, _IONBF, 0); /* a request, a reply: whole */
    }
    return file;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: beside PART SIGNAL PIPES [FAULTS]\n");
        return 2;
    }
    ein_script_begin(argv[1], fopen(argv[2], "rb"), argc > 4 ? argv[4] : NULL);
    FILE *from = open_pipe(argv[3], ".out", "rb"), *to = open_pipe(argv[3], ".in", "wb");
    if (from == NULL || to == NULL) {
        fprintf(stderr, "error: cannot open the pipes %s.out and %s.in\n", argv[3], argv[3]);
        return 2;
    }
    ein_beside_request_t request;
    while (fread(&request, sizeof(request), 1, from) == 1) {
        ein_beside_reply_t reply = {0};
        follow_clock(request.us);
        reply.flags = answer(&request, &reply) ? EIN_BESIDE_GOOD : 0u;
        reply.flags |= edge ? EIN_BESIDE_EDGE : 0u;
        edge = false;
        reply.flags |= head != tail ? EIN_BESIDE_MORE : 0u;
        reply.next_us = next_us();
        if (fwrite(&reply, sizeof(reply), 1, to) != 1) {
            break;
        }
    }
    return 0;
}
