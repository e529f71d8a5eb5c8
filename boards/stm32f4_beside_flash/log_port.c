/* firmware/log/ein_log_port.h for an emulated STM32F4 whose flash is a process beside it
 * (boards/beside_flash). It takes the place of boards/stm32f4_device/log_port.c; all else is as in
 * the device's image.
 *
 * While the chip would stand still, its clock goes on: samples wait where they would.
 */
#include "ein_log_port.h"

#include <string.h>

#include "ein_beside_flash.h"
#include "emulated.h"
#include "semihosting.h"
#include "timer.h"

#define NAME_BYTES 200u

static bool opened, erased;
static uint32_t out_file, in_file;

static uint32_t open_pipe(const char *name, uint32_t n, const char *end, uint32_t mode)
{
    char path[NAME_BYTES];
    const uint32_t end_n = (uint32_t)strlen(end);
    if (n + end_n >= sizeof(path)) {
        return UINT32_MAX;
    }
    memcpy(path, name, n);
    memcpy(path + n, end, end_n + 1u);
    return ein_semihosting_open(path, n + end_n, mode);
}

/* The pipes beside whatever the device was told that its samples come from: NAME.flash.out and .in.
 */
static void open_pipes(void)
{
    static const char models[] = EIN_EMULATED_MODELS_WORD;
    uint32_t n = 0;
    const char *name = ein_emulated_word(&n);
    opened = true;
    out_file = in_file = UINT32_MAX;
    if (name == 0) {
        return;
    }
    if (n > sizeof(models) && memcmp(name, models, sizeof(models) - 1u) == 0) {
        name += sizeof(models) - 1u;
        n -= (uint32_t)sizeof(models) - 1u;
    }
    out_file = open_pipe(name, n, ".flash.out", MODE_WB);
    in_file = open_pipe(name, n, ".flash.in", MODE_RB);
}

/* Nobody answers: the log has no sector, and the device says that it has none. */
static ein_beside_flash_reply_t ask(ein_beside_flash_operation_t operation, uint16_t sector,
                                    uint32_t offset, const void *out, void *in, uint32_t n)
{
    const ein_beside_flash_request_t request = {
        .operation = (uint16_t)operation, .sector = sector, .offset = offset, .n = n};
    ein_beside_flash_reply_t reply = {0}, none = {0};
    if (!opened) {
        open_pipes();
    }
    if (ein_semihosting_transfer(SYS_WRITE, out_file, &request, sizeof(request)) != 0 ||
        (out != 0 && ein_semihosting_transfer(SYS_WRITE, out_file, out, n) != 0) ||
        ein_semihosting_transfer(SYS_READ, in_file, &reply, sizeof(reply)) != 0 ||
        (in != 0 && ein_semihosting_transfer(SYS_READ, in_file, in, n) != 0)) {
        return none;
    }
    ein_timer_skip_us(reply.us);
    return reply;
}

void ein_log_port_info(ein_log_port_info_t *info)
{
    const ein_beside_flash_reply_t reply = ask(EIN_BESIDE_FLASH_INFO, 0, 0, 0, 0, 0);
    info->sectors = reply.sectors;
    info->unit_bytes = reply.unit;
}

uint32_t ein_log_port_sector_bytes(uint16_t sector)
{
    static uint32_t bytes; /* they are all alike */
    if (bytes == 0) {
        bytes = ask(EIN_BESIDE_FLASH_INFO, sector, 0, 0, 0, 0).bytes;
    }
    return bytes;
}

bool ein_log_port_read(uint16_t sector, uint32_t offset, void *bytes, size_t n)
{
    return ask(EIN_BESIDE_FLASH_READ, sector, offset, 0, bytes, (uint32_t)n).good != 0;
}

bool ein_log_port_write(uint16_t sector, uint32_t offset, const void *bytes, size_t n)
{
    return ask(EIN_BESIDE_FLASH_WRITE, sector, offset, bytes, 0, (uint32_t)n).good != 0;
}

bool ein_log_port_erase(uint16_t sector)
{
    erased = ask(EIN_BESIDE_FLASH_ERASE, sector, 0, 0, 0, 0).good != 0;
    return true;
}

ein_log_erase_t ein_log_port_erase_poll(void)
{
    return erased ? EIN_LOG_ERASE_DONE : EIN_LOG_ERASE_FAILED;
}
