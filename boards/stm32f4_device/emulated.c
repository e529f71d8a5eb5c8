#include "emulated.h"

#include <string.h>

#include "count.h"
#include "semihosting.h"

static const char models[] = EIN_EMULATED_MODELS_WORD;

static bool looked;
static ein_emulated_t what;
static uint32_t in_file, out_file;
static uint32_t held, taken; /* of the block */
union ein_emulated_room ein_emulated_room;

char *ein_emulated_word(uint32_t *length)
{
    const uint32_t ask[2] = {(uint32_t)(uintptr_t)ein_emulated_room.line,
                             sizeof(ein_emulated_room.line)};
    if (ein_semihosting(SYS_GET_CMDLINE, ask) != 0) {
        return 0;
    }
    uint32_t end = 0, begin = 0;
    for (; ein_emulated_room.line[end] != '\0'; end++) {
        begin = ein_emulated_room.line[end] == ' ' ? end + 1u : begin;
    }
    *length = end - begin;
    return begin > 0 ? ein_emulated_room.line + begin : 0;
}

static bool open_pipes(char *name, uint32_t length)
{
    static const char out[] = ".out", in[] = ".in";
    if (name + length + sizeof(out) > ein_emulated_room.line + sizeof(ein_emulated_room.line)) {
        return false;
    }
    memcpy(name + length, out, sizeof(out));
    out_file = ein_semihosting_open(name, length + sizeof(out) - 1u, MODE_WB);
    memcpy(name + length, in, sizeof(in));
    in_file = ein_semihosting_open(name, length + sizeof(in) - 1u, MODE_RB);
    return out_file != UINT32_MAX && in_file != UINT32_MAX;
}

ein_emulated_t ein_emulated_open(void)
{
    uint32_t length = 0;
    char *name = ein_count_is_silicon() ? 0 : ein_emulated_word(&length);
    looked = true;
    if (name == 0) {
        what = EIN_EMULATED_NOTHING;
    } else if (length >= sizeof(models) && memcmp(name, models, sizeof(models) - 1u) == 0) {
        const bool good = open_pipes(name + sizeof(models) - 1u, length - (sizeof(models) - 1u));
        what = good ? EIN_EMULATED_MODELS : EIN_EMULATED_NOTHING;
    } else {
        in_file = ein_semihosting_open(name, length, MODE_RB);
        what = in_file == UINT32_MAX ? EIN_EMULATED_NOTHING : EIN_EMULATED_FILE;
    }
    return what;
}

bool ein_emulated_exchange(const void *out, uint32_t out_n, void *in, uint32_t in_n)
{
    return ein_semihosting_transfer(SYS_WRITE, out_file, out, out_n) == 0 &&
           ein_emulated_take(in, in_n);
}

bool ein_emulated_take(void *in, uint32_t in_n)
{
    return ein_semihosting_transfer(SYS_READ, in_file, in, in_n) == 0;
}

static void fill(void)
{
    const uint32_t left = ein_semihosting_transfer(SYS_READ, in_file, ein_emulated_room.block,
                                                   sizeof(ein_emulated_room.block));
    held = (sizeof(ein_emulated_room.block) - left) / sizeof(ein_emulated_room.block[0]);
    taken = 0;
}

bool ein_emulated_sample(int16_t *sample)
{
    if (!looked) {
        ein_emulated_open();
    }
    if (what == EIN_EMULATED_FILE && taken == held) {
        fill();
        if (held == 0) {
            const uint32_t rewind[2] = {in_file, 0};
            ein_semihosting(SYS_SEEK, rewind);
            fill();
        }
        what = held == 0 ? EIN_EMULATED_NOTHING : what;
    }
    if (what != EIN_EMULATED_FILE) {
        return false;
    }
    *sample = ein_emulated_room.block[taken++];
    return true;
}
