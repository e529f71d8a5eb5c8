/* The model of a front end's part as a process beside an emulated chip, which asks it over two
 * pipes (boards/models/ein_beside.h).
 *
 *     beside PART SIGNAL PIPES [FAULTS [PPM]]
 *
 * SIGNAL and FAULTS as in script.h; the pipes are PIPES.out, from the chip, and PIPES.in; the
 * part's clock is PPM too fast. It ends when the chip does. einthoven/hil_tests/harness/beside.py
 * starts it.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "ein_beside.h"
#include "ein_bus.h"
#include "script.h"

#define PS_PER_US 1000000u
#define BLOCKS 16u /* a power of two, more than ein_bus_serve() hands on at once */
#define AHEAD_MOST_PS (250000ull * PS_PER_US)

typedef char ein_check_blocks[BLOCKS * EIN_BESIDE_BLOCK > EIN_BUS_ADC_MOST ? 1 : -1];

static uint64_t chip_us; /* its clock, without wrapping */
static bool edge;
static bool converts; /* the chip wants conversions */
static struct {
    uint16_t values[EIN_BESIDE_BLOCK];
    uint16_t lost;
    bool lead_p, lead_n;
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
    blocks[head % BLOCKS].lead_p = ein_bus_get(EIN_BUS_LEAD_P);
    blocks[head % BLOCKS].lead_n = ein_bus_get(EIN_BUS_LEAD_N);
    blocks[head % BLOCKS].us = us;
    head++;
}

/* Conversions, up to the next block: false if the model makes none. */
static bool run_ahead(void)
{
    const uint64_t end_ps = ein_sim_now_ps() + AHEAD_MOST_PS;
    while (head == tail && ein_sim_next_ps() != 0 && ein_sim_next_ps() < end_ps) {
        ein_script_follow();
        ein_sim_run(ein_sim_next_ps());
        ein_bus_serve();
    }
    return head != tail;
}

/* What is due, and what will be (ein_beside.h). A block behind a loss begins a reply. */
static void take_blocks(ein_beside_reply_t *reply, uint16_t *values)
{
    while (head != tail || (reply->blocks > 0 && run_ahead())) {
        const uint32_t n = reply->blocks;
        if (n == EIN_BESIDE_BLOCKS || (n > 0 && blocks[tail % BLOCKS].lost > 0)) {
            return;
        }
        reply->lost = (uint16_t)(reply->lost + blocks[tail % BLOCKS].lost);
        reply->us[n] = blocks[tail % BLOCKS].us;
        reply->leads[0] = (uint16_t)(reply->leads[0] | blocks[tail % BLOCKS].lead_p << n);
        reply->leads[1] = (uint16_t)(reply->leads[1] | blocks[tail % BLOCKS].lead_n << n);
        memcpy(values + n * EIN_BESIDE_BLOCK, blocks[tail % BLOCKS].values,
               sizeof(blocks[0].values));
        reply->blocks++;
        tail++;
    }
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
        return true;
    case EIN_BESIDE_SPI:
        return ein_bus_spi(request->argument, request->bytes, reply->bytes, n);
    case EIN_BESIDE_SET:
        ein_bus_set((ein_bus_pin_t)request->argument, request->bytes[0] != 0);
        return true;
    case EIN_BESIDE_LISTEN:
        edge = false;
        ein_bus_listen(on_edge, NULL);
        return true;
    case EIN_BESIDE_ADC:
        head = tail = 0;
        converts = true;
        return ein_bus_adc(500, on_adc, NULL);
    case EIN_BESIDE_STOP:
        ein_bus_stop();
        edge = converts = false;
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
        fprintf(stderr, "usage: beside PART SIGNAL PIPES [FAULTS [PPM]]\n");
        return 2;
    }
    ein_script_begin(argv[1], fopen(argv[2], "rb"), argc > 4 ? argv[4] : NULL,
                     argc > 5 ? (int32_t)atoi(argv[5]) : 0);
    FILE *from = open_pipe(argv[3], ".out", "rb"), *to = open_pipe(argv[3], ".in", "wb");
    if (from == NULL || to == NULL) {
        fprintf(stderr, "error: cannot open the pipes %s.out and %s.in\n", argv[3], argv[3]);
        return 2;
    }
    ein_beside_request_t request;
    while (fread(&request, sizeof(request), 1, from) == 1) {
        ein_beside_reply_t reply = {0};
        uint16_t values[EIN_BESIDE_BLOCKS * EIN_BESIDE_BLOCK];
        follow_clock(request.us);
        reply.flags = answer(&request, &reply) ? EIN_BESIDE_GOOD : 0u;
        reply.flags |= edge ? EIN_BESIDE_EDGE : 0u;
        edge = false;
        if (request.operation == EIN_BESIDE_RUN && converts) {
            take_blocks(&reply, values);
        }
        reply.next_us = head != tail ? 1u : next_us();
        const size_t n = reply.blocks * EIN_BESIDE_BLOCK;
        if (fwrite(&reply, sizeof(reply), 1, to) != 1 ||
            fwrite(values, sizeof(values[0]), n, to) != n) {
            break;
        }
    }
    return 0;
}
