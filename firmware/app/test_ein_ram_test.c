/* The test of memory on memory that is bad in every way that it claims to find. */
#include <stdio.h>
#include <string.h>

#include "ein_memory_port.h"
#include "ein_port.h"

static uint32_t read_word(volatile uint32_t *word);
static void write_word(volatile uint32_t *word, uint32_t value);

#define EIN_MEMORY
#define EIN_RAM_READ(word) read_word(word)
#define EIN_RAM_WRITE(word, value) write_word(word, value)
#include "ein_ram_test.c"

#define N 256u
#define AT 77u
#define NEIGHBOUR 78u /* in the same block of eight */

typedef enum {
    GOOD,
    STUCK_0,
    STUCK_1,
    NO_RISE,
    NO_FALL,
    FOLLOWS,
    INVERTS,
    LINE_STUCK,
    FAULTS
} fault_t;

static uint32_t memory[N];
static fault_t fault;
static unsigned bit, line;
static int masked, pairs, polls, failures;

static size_t place(volatile uint32_t *word)
{
    size_t at = (size_t)(word - memory);
    if (fault == LINE_STUCK) {
        at &= ~((size_t)1 << line);
    }
    return at;
}

static uint32_t read_word(volatile uint32_t *word)
{
    return memory[place(word)];
}

static void write_word(volatile uint32_t *word, uint32_t value)
{
    const size_t at = place(word);
    const uint32_t mask = 1u << bit, before = memory[at];
    if (at == AT && (fault == STUCK_0 || (fault == NO_RISE && (before & mask) == 0))) {
        value &= ~mask;
    }
    if (at == AT && (fault == STUCK_1 || (fault == NO_FALL && (before & mask) != 0))) {
        value |= mask;
    }
    memory[at] = value;
    if (at == NEIGHBOUR && ((before ^ value) & mask) != 0) {
        if (fault == FOLLOWS) {
            memory[AT] = (memory[AT] & ~mask) | (value & mask);
        } else if (fault == INVERTS && (value & mask) != 0) {
            memory[AT] ^= mask;
        }
    }
}

void ein_memory_port_mask(int on)
{
    if (on == masked) {
        failures++;
    }
    masked = on;
    pairs += on;
}

void ein_port_poll(bool idle)
{
    (void)idle;
    polls += !masked;
}

static void expect(bool good, const char *what)
{
    if (!good) {
        printf("%s, fault %d, bit %u, line %u\n", what, (int)fault, bit, line);
        failures++;
    }
}

static volatile uint32_t *run(void)
{
    static uint32_t before[N];
    for (size_t i = 0; i < N; i++) {
        memory[i] = (uint32_t)i * 2654435761u;
    }
    memcpy(before, memory, sizeof(before));
    volatile uint32_t *bad = ein_ram_test(memory, N);
    expect(fault != GOOD || memcmp(before, memory, sizeof(before)) == 0, "the content is lost");
    return bad;
}

int main(void)
{
    expect(run() == NULL && pairs == (int)(N / 8u) + 8 && polls == (int)(N / 8u), "good memory");
    for (fault = STUCK_0; fault < LINE_STUCK; fault = (fault_t)(fault + 1)) {
        for (bit = 0; bit < 32; bit++) {
            volatile uint32_t *bad = run();
            expect(bad == memory + AT || bad == memory + NEIGHBOUR, "a bad cell is not found");
        }
    }
    bit = 0;
    for (line = 0; line < 8; line++) {
        expect(run() == memory + ((size_t)1 << line), "a bad address line is not found");
    }
    printf(failures == 0 ? "ram: good\n" : "ram: BAD\n");
    return failures == 0 ? 0 : 1;
}
