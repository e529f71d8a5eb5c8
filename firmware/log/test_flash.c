#include "test_flash.h"

#include <stdlib.h>
#include <string.h>

flash_t flash;

#define NONE EIN_LOG_SECTORS_MAX

uint32_t flash_draw(uint32_t below)
{
    flash.random ^= flash.random << 13; /* xorshift64, Marsaglia 2003 */
    flash.random ^= flash.random >> 7;
    flash.random ^= flash.random << 17;
    return (uint32_t)((flash.random >> 32) % below);
}

uint32_t flash_bytes(void)
{
    return flash.start[flash.config.sectors];
}

void flash_make(const flash_config_t *config, uint64_t seed, bool blank)
{
    free(flash.state.value);
    free(flash.state.marginal);
    memset(&flash, 0, sizeof(flash));
    flash.config = *config;
    flash.state.erasing = NONE;
    flash.random = seed * 2654435761u + 88172645463325252u;
    for (uint16_t i = 0; i < config->sectors; i++) {
        flash.start[i + 1] = flash.start[i] + config->bytes[i];
    }
    flash.state.value = malloc(flash_bytes());
    flash.state.marginal = calloc(flash_bytes(), 1);
    if (flash.state.value == NULL || flash.state.marginal == NULL) {
        abort();
    }
    for (uint32_t i = 0; i < flash_bytes(); i++) {
        flash.state.value[i] = blank ? 0xFF : (uint8_t)flash_draw(256);
    }
}

void flash_save(flash_state_t *into)
{
    uint8_t *const value = realloc(into->value, flash_bytes());
    uint8_t *const marginal = realloc(into->marginal, flash_bytes());
    if (value == NULL || marginal == NULL) {
        abort();
    }
    memcpy(value, flash.state.value, flash_bytes());
    memcpy(marginal, flash.state.marginal, flash_bytes());
    *into = flash.state;
    into->value = value;
    into->marginal = marginal;
}

void flash_restore(const flash_state_t *from)
{
    uint8_t *const value = flash.state.value, *const marginal = flash.state.marginal;
    memcpy(value, from->value, flash_bytes());
    memcpy(marginal, from->marginal, flash_bytes());
    flash.state = *from;
    flash.state.value = value;
    flash.state.marginal = marginal;
}

static uint8_t draw_bits(uint32_t of_256)
{
    uint8_t bits = 0;
    for (unsigned i = 0; i < 8; i++) {
        bits = (uint8_t)(bits << 1 | (flash_draw(256) < of_256 ? 1 : 0));
    }
    return bits;
}

/* How far the operation was, and how many of the bits that it would have changed are left so that
   they read differently each time; in 1/256. Both ends are frequent. */
static void draw_progress(uint32_t *done, uint32_t *marginal)
{
    static const uint16_t ends[] = {0, 0, 4, 252, 256, 256};
    const uint32_t kind = flash_draw(10);
    *done = kind < 6 ? ends[kind] : flash_draw(257);
    *marginal = flash_draw(2) == 0 ? 0 : flash_draw(128);
}

static void tear_unit(uint32_t at, const uint8_t *unit)
{
    const unsigned all = flash.config.unit;
    const unsigned part = flash.config.write_bytes != 0 ? flash.config.write_bytes : all;
    const unsigned torn = flash_draw(all / part) * part;
    uint32_t done, marginal;
    draw_progress(&done, &marginal);
    memcpy(flash.state.value + at, unit, torn);
    for (unsigned i = torn; i < torn + part; i++) {
        const uint8_t zeros = (uint8_t)(flash.state.value[at + i] & ~unit[i]);
        flash.state.value[at + i] &= (uint8_t) ~(zeros & draw_bits(done));
        flash.state.marginal[at + i] |= zeros & draw_bits(marginal);
    }
}

static void erase(uint32_t from, uint32_t to)
{
    memset(flash.state.value + from, 0xFF, to - from);
    memset(flash.state.marginal + from, 0, to - from);
}

/* Bits rise towards 1, words at a time or all over what is erased at once. */
static void tear_erase(uint16_t sector)
{
    const uint32_t bytes = flash.config.bytes[sector];
    const uint32_t page = flash.config.page_bytes != 0 ? flash.config.page_bytes : bytes;
    const uint32_t torn = flash.start[sector] + flash_draw(bytes / page) * page;
    uint32_t done, marginal;
    draw_progress(&done, &marginal);
    const bool by_words = flash_draw(2) == 0;
    uint8_t word_done = 0;
    erase(flash.start[sector], torn);
    for (uint32_t at = torn; at < torn + page; at++) {
        uint8_t *const value = &flash.state.value[at];
        if (at % 4u == 0) {
            word_done = flash_draw(256) < done ? 0xFF : 0;
        }
        const uint8_t zeros = (uint8_t) ~*value;
        const uint8_t rises = by_words ? word_done : done == 0 ? 0 : draw_bits(done);
        *value |= rises;
        flash.state.marginal[at] =
            (uint8_t)(flash.state.marginal[at] | (marginal == 0 ? 0 : zeros & draw_bits(marginal)));
    }
}

void flash_tear(void)
{
    flash.held.pending = false;
    if (!flash.next.erase) {
        tear_unit(flash.start[flash.next.sector] + flash.next.offset, flash.next.unit);
        flash.state.any_marginal[flash.next.sector] = true;
    }
    if (flash.next.erase || flash.state.erasing != NONE) {
        const uint16_t sector = flash.next.erase ? flash.next.sector : flash.state.erasing;
        tear_erase(sector);
        flash.state.erases[sector]++;
        flash.state.any_marginal[sector] = true;
    }
    flash.state.erasing = NONE;
}

void ein_log_port_info(ein_log_port_info_t *info)
{
    info->sectors = flash.config.sectors;
    info->unit_bytes = flash.config.unit;
}

uint32_t ein_log_port_sector_bytes(uint16_t sector)
{
    return flash.config.bytes[sector];
}

bool ein_log_port_read(uint16_t sector, uint32_t offset, void *bytes, size_t n)
{
    if (sector >= flash.config.sectors || offset > flash.config.bytes[sector] ||
        n > flash.config.bytes[sector] - offset) {
        abort(); /* the log reads beyond a sector */
    }
    flash.reads++;
    flash.bytes_read += n;
    const uint32_t at = flash.start[sector] + offset;
    memcpy(bytes, flash.state.value + at, n);
    if (flash.state.any_marginal[sector]) {
        uint8_t *const byte = bytes;
        for (size_t i = 0; i < n; i++) {
            const uint8_t unsure = flash.state.marginal[at + i];
            if (unsure != 0) {
                byte[i] = (uint8_t)((byte[i] & ~unsure) | (unsure & flash_draw(256)));
            }
        }
    }
    if (flash.held.pending && flash.held.sector == sector) { /* what forgets reads as if it knew */
        for (size_t i = 0; i < flash.config.unit; i++) {
            const uint32_t where = flash.held.offset + (uint32_t)i;
            if (where >= offset && where < offset + n) {
                ((uint8_t *)bytes)[where - offset] = flash.held.unit[i];
            }
        }
    }
    return true;
}

static bool is_worn(uint16_t sector)
{
    return flash.config.wear_limit != 0 && flash.state.erases[sector] > flash.config.wear_limit;
}

static bool write_unit(uint16_t sector, uint32_t offset, const uint8_t *unit)
{
    const uint32_t at = flash.start[sector] + offset;
    for (unsigned i = 0; i < flash.config.unit; i++) {
        if ((flash.state.value[at + i] | flash.state.marginal[at + i]) != 0xFF) {
            flash.rewritten++;
            return false;
        }
    }
    for (unsigned i = 0; i < flash.config.unit; i++) {
        flash.state.value[at + i] = unit[i];
        flash.state.marginal[at + i] &= unit[i];
    }
    if (is_worn(sector) && flash_draw(64) == 0) {
        flash.state.value[at] ^= (uint8_t)(1u << flash_draw(8)); /* a cell that does not hold */
        return flash_draw(2) == 0;
    }
    return true;
}

static bool write_held(void)
{
    const bool pending = flash.held.pending;
    flash.held.pending = false;
    return !pending || write_unit(flash.held.sector, flash.held.offset, flash.held.unit);
}

bool ein_log_port_write(uint16_t sector, uint32_t offset, const void *bytes, size_t n)
{
    const uint8_t *unit = bytes;
    if (n % flash.config.unit != 0 || offset % flash.config.unit != 0 ||
        offset + n > flash.config.bytes[sector]) {
        abort(); /* the log writes what the contract does not allow */
    }
    bool good = true;
    for (size_t i = 0; good && i < n; i += flash.config.unit) {
        flash.next.erase = false;
        flash.next.sector = sector;
        flash.next.offset = offset + (uint32_t)i;
        flash.next.unit = unit + i;
        if (flash.before != NULL) {
            flash.before();
        }
        flash.words_written += flash.config.unit / 4u;
        if (flash.config.forgets) {
            good = write_held();
            flash.held.pending = true;
            flash.held.sector = sector;
            flash.held.offset = flash.next.offset;
            memcpy(flash.held.unit, unit + i, flash.config.unit);
        } else {
            good = write_unit(sector, flash.next.offset, unit + i);
        }
    }
    return good;
}

bool ein_log_port_erase(uint16_t sector)
{
    write_held();
    flash.next.erase = true;
    flash.next.sector = sector;
    if (flash.before != NULL) {
        flash.before();
    }
    flash.state.erasing = sector;
    flash.state.polls_left = flash.config.erase_polls;
    return true;
}

ein_log_erase_t ein_log_port_erase_poll(void)
{
    if (flash.state.polls_left > 0) {
        flash.state.polls_left--;
        return EIN_LOG_ERASE_BUSY;
    }
    const uint16_t sector = flash.state.erasing;
    const uint32_t at = flash.start[sector];
    erase(at, flash.start[sector + 1]);
    flash.state.any_marginal[sector] = false;
    flash.state.erases[sector]++;
    flash.state.erasing = NONE;
    if (is_worn(sector) && flash_draw(4) == 0) {
        flash.state.value[at + flash_draw(64)] &= 0x7F;
        return flash_draw(2) == 0 ? EIN_LOG_ERASE_DONE : EIN_LOG_ERASE_FAILED;
    }
    return EIN_LOG_ERASE_DONE;
}
