/* A flash as a process beside an emulated chip, which asks it over two pipes (ein_beside_flash.h).
 *
 *     beside_flash FILE PIPES SECTORS BYTES [CUT SEED]
 *
 * FILE has SECTORS of BYTES as a debugger would read them, and is made, all erased, if there is
 * none; whatever the chip was told is done is in it. The pipes are PIPES.out, from the chip, and
 * PIPES.in.
 *
 * At operation CUT (1, 2 ...: a word that is written, a sector that is erased; -1, -2 ...: a sector
 * that is erased) the power goes: FILE gets what the operation may leave, drawn from SEED,
 * FILE.unsure which bits read differently each time from then on, FILE.before what there was
 * before. The process says so in a line and answers no more, so that the chip executes no
 * instruction behind the operation. It ends when the chip does, which is to be killed then.
 *
 * Erasing takes 2 s and a word 100 us, an STM32F4's longest (flash.h), and the chip stands still.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ein_beside_flash.h"
#include "test_flash.h"

#define UNIT 4u
#define WORD_US 100u
#define ERASE_US 2000000u
#define MOST_BYTES 512u /* at once: a record of the log is 264 */

static struct {
    const char *name;
    FILE *file, *chip;
    long cut, operations, erases;
} store;

static _Noreturn void fail(const char *what, const char *name)
{
    fprintf(stderr, "error: %s %s\n", what, name);
    exit(2);
}

static void put_whole(const char *ending, const uint8_t *bytes)
{
    char name[512];
    if ((size_t)snprintf(name, sizeof(name), "%s%s", store.name, ending) >= sizeof(name)) {
        fail("too long a name:", store.name);
    }
    FILE *file = fopen(name, "wb");
    if (file == NULL || fwrite(bytes, 1, flash_bytes(), file) != flash_bytes() ||
        fclose(file) != 0) {
        fail("cannot write", name);
    }
}

static bool get_whole(const char *ending, uint8_t *bytes)
{
    char name[512];
    if ((size_t)snprintf(name, sizeof(name), "%s%s", store.name, ending) >= sizeof(name)) {
        fail("too long a name:", store.name);
    }
    FILE *file = fopen(name, "rb");
    if (file == NULL) {
        return false;
    }
    if (fread(bytes, 1, flash_bytes(), file) != flash_bytes()) {
        fail("not as long as the flash:", name);
    }
    fclose(file);
    return true;
}

/* A part of the file as the flash now is. */
static void keep(uint32_t at, uint32_t n)
{
    if (fseek(store.file, (long)at, SEEK_SET) != 0 ||
        fwrite(flash.state.value + at, 1, n, store.file) != n || fflush(store.file) != 0) {
        fail("cannot write", store.name);
    }
}

static void before_operation(void)
{
    store.operations++;
    store.erases += flash.next.erase ? 1 : 0;
    if (store.cut < 0 ? store.erases != -store.cut || !flash.next.erase
                      : store.operations != store.cut) {
        return;
    }
    put_whole(".before", flash.state.value);
    const bool erase = flash.next.erase;
    flash_tear();
    keep(0, flash_bytes());
    put_whole(".unsure", flash.state.marginal);
    printf("cut %s\n", erase ? "erase" : "write");
    fflush(stdout);
    fgetc(store.chip); /* nothing comes: until it is killed */
    exit(0);
}

static void open_store(uint16_t sectors, uint32_t bytes, uint64_t seed)
{
    flash_config_t config = {.sectors = sectors, .unit = UNIT};
    for (uint16_t i = 0; i < sectors; i++) {
        config.bytes[i] = bytes;
    }
    flash_make(&config, seed, true);
    if (!get_whole("", flash.state.value)) {
        put_whole("", flash.state.value);
    }
    if (get_whole(".unsure", flash.state.marginal)) {
        memset(flash.state.any_marginal, 1, sizeof(flash.state.any_marginal));
    }
    store.file = fopen(store.name, "r+b");
    if (store.file == NULL) {
        fail("cannot open", store.name);
    }
    flash.before = before_operation;
}

static FILE *open_pipe(const char *name, const char *end, const char *mode)
{
    char path[512];
    if ((size_t)snprintf(path, sizeof(path), "%s%s", name, end) >= sizeof(path)) {
        fail("too long a name:", name);
    }
    FILE *file = fopen(path, mode);
    if (file == NULL) {
        fail("cannot open the pipe", path);
    }
    setvbuf(file, NULL, _IONBF, 0); /* a request, a reply: whole */
    return file;
}

/* Bits that an earlier cut left unsure and that are firm now, or no longer there. */
static void forget_unsure(uint16_t sector)
{
    const uint32_t begin = flash.start[sector], end = flash.start[sector + 1u];
    for (uint32_t at = begin; at < end && flash.state.any_marginal[sector]; at++) {
        if (flash.state.marginal[at] != 0) {
            return;
        }
    }
    flash.state.any_marginal[sector] = false;
}

static bool perform(const ein_beside_flash_request_t *request, uint8_t *bytes, uint32_t *us)
{
    const uint32_t at = flash.start[request->sector] + request->offset;
    switch (request->operation) {
    case EIN_BESIDE_FLASH_READ:
        return ein_log_port_read(request->sector, request->offset, bytes, request->n);
    case EIN_BESIDE_FLASH_WRITE: {
        const bool good = ein_log_port_write(request->sector, request->offset, bytes, request->n);
        keep(at, request->n);
        *us = WORD_US * request->n / UNIT;
        return good;
    }
    case EIN_BESIDE_FLASH_ERASE: {
        ein_log_port_erase(request->sector);
        const bool good = ein_log_port_erase_poll() == EIN_LOG_ERASE_DONE;
        forget_unsure(request->sector);
        keep(flash.start[request->sector], flash.config.bytes[request->sector]);
        *us = ERASE_US;
        return good;
    }
    default:
        return true;
    }
}

int main(int argc, char **argv)
{
    if (argc != 5 && argc != 7) {
        fprintf(stderr, "usage: beside_flash FILE PIPES SECTORS BYTES [CUT SEED]\n");
        return 2;
    }
    const long sectors = atol(argv[3]), bytes = atol(argv[4]);
    if (sectors < 2 || sectors > (long)EIN_LOG_SECTORS_MAX ||
        bytes < (long)EIN_LOG_SECTOR_LEAST_BYTES || bytes % (long)UNIT != 0) {
        fail("no flash of sectors and bytes:", argv[4]);
    }
    store.name = argv[1];
    store.cut = argc == 7 ? atol(argv[5]) : 0;
    open_store((uint16_t)sectors, (uint32_t)bytes, argc == 7 ? strtoul(argv[6], NULL, 10) : 1u);
    FILE *from = open_pipe(argv[2], ".out", "rb"), *to = open_pipe(argv[2], ".in", "wb");
    store.chip = from;
    ein_beside_flash_request_t request;
    while (fread(&request, sizeof(request), 1, from) == 1) {
        uint8_t content[MOST_BYTES];
        const bool writes = request.operation == EIN_BESIDE_FLASH_WRITE;
        const bool reads = request.operation == EIN_BESIDE_FLASH_READ;
        if (request.sector >= sectors || request.n > MOST_BYTES ||
            (writes && fread(content, 1, request.n, from) != request.n)) {
            fail("a request that cannot be", "of the chip");
        }
        ein_beside_flash_reply_t reply = {
            .unit = UNIT, .sectors = (uint16_t)sectors, .bytes = (uint32_t)bytes};
        reply.good = perform(&request, content, &reply.us) ? 1u : 0u;
        if (fwrite(&reply, sizeof(reply), 1, to) != 1 ||
            (reads && fwrite(content, 1, request.n, to) != request.n)) {
            break;
        }
    }
    return 0;
}
