#include "ein_update.h"

#include <string.h>

#include "ein_crc32.h"
#include "ein_slots.h"

static struct {
    ein_update_state_t state;
    uint8_t header[EIN_IMAGE_SENT_BYTES];
    ein_image_t image;
    uint32_t next;
} update;

void ein_update_init(void)
{
    memset(&update, 0, sizeof(update));
}

unsigned ein_update_slot(void)
{
    const unsigned running = ein_slots_port_running();
    if (running >= EIN_SLOTS || ein_slots_port_address(1u - running) == 0) {
        return EIN_SLOTS;
    }
    return 1u - running;
}

static ein_update_status_t fits(const ein_image_t *image, bool downgrade, const char *board)
{
    if (!ein_image_is_for(image, board) ||
        image->load != ein_slots_port_address(ein_update_slot())) {
        return EIN_UPDATE_ERR_UNFIT;
    }
    ein_image_t running;
    ein_slots_state(ein_slots_port_running(), &running);
    return image->version < running.version && !downgrade ? EIN_UPDATE_ERR_OLDER : EIN_UPDATE_OK;
}

bool ein_update_confirm(void)
{
    const unsigned running = ein_slots_port_running();
    ein_image_t image;
    if (running >= EIN_SLOTS || ein_slots_state(running, &image) != EIN_SLOT_TRIED) {
        return true;
    }
    return ein_slots_mark(running, EIN_IMAGE_CONFIRMED_AT, EIN_IMAGE_CONFIRMED);
}

ein_update_status_t ein_update_begin(const uint8_t *header, size_t n, bool downgrade,
                                     const char *board)
{
    ein_image_t image;
    if (ein_update_slot() == EIN_SLOTS) {
        return EIN_UPDATE_ERR_NONE;
    }
    if (n != EIN_IMAGE_SENT_BYTES || !ein_image_parse(&image, header)) {
        return EIN_UPDATE_ERR_UNFIT;
    }
    const ein_update_status_t status = fits(&image, downgrade, board);
    if (status != EIN_UPDATE_OK) {
        return status;
    }
    if (update.state != EIN_UPDATE_IDLE && memcmp(update.header, header, n) == 0) {
        return EIN_UPDATE_OK;
    }
    update.state = EIN_UPDATE_IDLE;
    update.next = 0;
    /* What runs is about to be the only image: it has come far enough to be asked for another. */
    if (!ein_update_confirm() || !ein_slots_port_erase(ein_update_slot())) {
        return EIN_UPDATE_ERR_FLASH;
    }
    memcpy(update.header, header, sizeof(update.header));
    update.image = image;
    update.state = EIN_UPDATE_RECEIVING;
    return EIN_UPDATE_OK;
}

ein_update_status_t ein_update_piece(uint32_t offset, const uint8_t *bytes, size_t n)
{
    if (update.state == EIN_UPDATE_IDLE) {
        return EIN_UPDATE_ERR_NONE;
    }
    if (update.state != EIN_UPDATE_RECEIVING || offset != update.next) {
        return EIN_UPDATE_OK; /* came before */
    }
    if (n % 4 != 0 || n > update.image.size - update.next) {
        return EIN_UPDATE_ERR_UNFIT;
    }
    if (!ein_slots_port_write(ein_update_slot(), EIN_IMAGE_HEADER_BYTES + offset, bytes, n)) {
        update.state = EIN_UPDATE_IDLE;
        return EIN_UPDATE_ERR_FLASH;
    }
    update.next += (uint32_t)n;
    return EIN_UPDATE_OK;
}

static bool is_written(void)
{
    uint8_t piece[64];
    uint32_t crc = 0;
    for (uint32_t at = 0; at < update.image.size; at += (uint32_t)sizeof(piece)) {
        const uint32_t left = update.image.size - at;
        const size_t n = left < sizeof(piece) ? left : sizeof(piece);
        if (!ein_slots_port_read(ein_update_slot(), EIN_IMAGE_HEADER_BYTES + at, piece, n)) {
            return false;
        }
        crc = ein_crc32(crc, piece, n);
    }
    return crc == update.image.crc;
}

/* The magic comes last: without it there is no image. Then the one word that installs it. */
static bool install(void)
{
    const unsigned slot = ein_update_slot();
    const uint32_t behind = EIN_IMAGE_MAGIC_BYTES;
    const uint32_t sequence = ein_slots_next_sequence();
    uint8_t seen[EIN_IMAGE_SENT_BYTES];
    return ein_slots_port_write(slot, behind, update.header + behind,
                                sizeof(update.header) - behind) &&
           ein_slots_mark(slot, EIN_IMAGE_SEQUENCE_AT, sequence) &&
           ein_slots_port_write(slot, 0, update.header, behind) &&
           ein_slots_port_read(slot, 0, seen, sizeof(seen)) &&
           memcmp(seen, update.header, sizeof(seen)) == 0;
}

ein_update_status_t ein_update_finish(void)
{
    if (update.state == EIN_UPDATE_PENDING) {
        return EIN_UPDATE_OK;
    }
    if (update.state == EIN_UPDATE_IDLE) {
        return EIN_UPDATE_ERR_NONE;
    }
    if (update.next != update.image.size || !is_written()) {
        return EIN_UPDATE_ERR_CONTENT;
    }
    if (!install()) {
        update.state = EIN_UPDATE_IDLE;
        return EIN_UPDATE_ERR_FLASH;
    }
    update.state = EIN_UPDATE_PENDING;
    return EIN_UPDATE_OK;
}

ein_update_state_t ein_update_state(void)
{
    return update.state;
}

uint32_t ein_update_next(void)
{
    return update.next;
}
