#include "emulated.h"

#include "count.h"

#define SYS_OPEN 0x01u
#define SYS_READ 0x06u
#define SYS_SEEK 0x0Au
#define SYS_GET_CMDLINE 0x15u
#define MODE_RB 1u
#define BLOCK_SAMPLES 64u

typedef enum { UNKNOWN = 0, OPEN, NONE } state_t;

static state_t state;
static uint32_t file;
static char command_line[160];
static int16_t block[BLOCK_SAMPLES];
static uint32_t held, taken;

static uint32_t call(uint32_t operation, const void *parameters)
{
    register uint32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = parameters;
    __asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

/* The last word of the command line, if there are two. */
static const char *file_name(uint32_t *length)
{
    const uint32_t ask[2] = {(uint32_t)(uintptr_t)command_line, sizeof(command_line)};
    if (call(SYS_GET_CMDLINE, ask) != 0) {
        return 0;
    }
    uint32_t end = 0, begin = 0;
    for (; command_line[end] != '\0'; end++) {
        begin = command_line[end] == ' ' ? end + 1u : begin;
    }
    *length = end - begin;
    return begin > 0 ? command_line + begin : 0;
}

static void open_file(void)
{
    state = NONE;
    uint32_t length = 0;
    const char *name = ein_count_is_silicon() ? 0 : file_name(&length);
    if (name != 0) {
        const uint32_t ask[3] = {(uint32_t)(uintptr_t)name, MODE_RB, length};
        file = call(SYS_OPEN, ask);
        state = file == UINT32_MAX ? NONE : OPEN;
    }
}

static void fill(void)
{
    const uint32_t ask[3] = {file, (uint32_t)(uintptr_t)block, sizeof(block)};
    held = (sizeof(block) - call(SYS_READ, ask)) / sizeof(block[0]);
    taken = 0;
}

bool ein_emulated_sample(int16_t *sample)
{
    if (state == UNKNOWN) {
        open_file();
    }
    if (state == NONE) {
        return false;
    }
    if (taken == held) {
        fill();
        if (held == 0) {
            const uint32_t rewind[2] = {file, 0};
            call(SYS_SEEK, rewind);
            fill();
        }
        if (held == 0) {
            state = NONE;
            return false;
        }
    }
    *sample = block[taken];
    taken++;
    return true;
}
