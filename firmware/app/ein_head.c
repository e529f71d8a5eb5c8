#include "ein_head.h"

#include <string.h>

#include "ein_crc32.h"
#include "ein_model.h"
#include "ein_nn_head.h"
#include "ein_port.h"

/* "EH", and the layout of the parameters. */
#define MAGIC (0x00004845u | EIN_NN_HEAD_LAYOUT << 16)
#define ERASED 0xFFFFFFFFu

static const uint8_t own_sha256[32] = EIN_MODEL_SHA256_BYTES;

/* As it lies in the slot. */
typedef struct {
    uint32_t magic;
    uint32_t crc; /* over all that follows */
    uint8_t model_sha256[32];
    uint32_t parameters[EIN_MODEL_HEAD_BYTES / 4 + 1]; /* the kernels read words; never empty */
} record_t;

#define RECORD_BYTES ((uint32_t)offsetof(record_t, parameters) + EIN_MODEL_HEAD_BYTES)
#define CHECKED_FROM ((uint32_t)offsetof(record_t, model_sha256))
typedef char ein_check_slot[RECORD_BYTES <= EIN_SLOT_BYTES ? 1 : -1];

static struct {
    ein_head_state_t state;
    record_t record;
} head;

static uint32_t crc_of_record(void)
{
    return ein_crc32(0, head.record.model_sha256, RECORD_BYTES - CHECKED_FROM);
}

static bool fits(void)
{
#if EIN_MODEL_HEAD_BYTES
    return ein_model_head_fits((const int8_t *)head.record.parameters) != 0;
#else
    return false;
#endif
}

void ein_head_load(void)
{
    head.state = EIN_HEAD_UNSUPPORTED;
    if (EIN_MODEL_HEAD_BYTES == 0 || !ein_port_slot_read(0, &head.record, RECORD_BYTES)) {
        return;
    }
    head.state = EIN_HEAD_NONE;
    if (head.record.magic != MAGIC) {
        return;
    }
    if (memcmp(head.record.model_sha256, own_sha256, sizeof(own_sha256)) != 0) {
        head.state = EIN_HEAD_FOREIGN;
    } else if (head.record.crc == crc_of_record() && fits()) {
        head.state = EIN_HEAD_ACTIVE;
    }
}

ein_head_state_t ein_head_state(void)
{
    return head.state;
}

const int8_t *ein_head_parameters(void)
{
    return head.state == EIN_HEAD_ACTIVE ? (const int8_t *)head.record.parameters : NULL;
}

uint32_t ein_head_crc(void)
{
    return head.state == EIN_HEAD_ACTIVE ? head.record.crc : 0;
}

bool ein_head_stage(size_t offset, const uint8_t *bytes, size_t n)
{
    if (offset > EIN_MODEL_HEAD_BYTES || n > EIN_MODEL_HEAD_BYTES - offset) {
        return false;
    }
    head.state = EIN_HEAD_NONE;
    memcpy((uint8_t *)head.record.parameters + offset, bytes, n);
    return true;
}

/* Whether the slot holds the copy, word by word. */
static bool is_kept(void)
{
    const uint8_t *ours = (const uint8_t *)&head.record;
    uint8_t theirs[32];
    for (uint32_t at = 0; at < RECORD_BYTES; at += sizeof(theirs)) {
        uint32_t n = RECORD_BYTES - at;
        n = n < sizeof(theirs) ? n : (uint32_t)sizeof(theirs);
        if (!ein_port_slot_read(at, theirs, n) || memcmp(ours + at, theirs, n) != 0) {
            return false;
        }
    }
    return true;
}

/* The magic number comes last: without it there is no head, whatever else is there. */
static bool keep(void)
{
    const uint32_t at = (uint32_t)offsetof(record_t, crc);
    return ein_port_slot_erase() &&
           ein_port_slot_write(at, (const uint8_t *)&head.record + at, RECORD_BYTES - at) &&
           ein_port_slot_write(0, &head.record.magic, at) && is_kept();
}

ein_head_status_t ein_head_store(uint32_t crc, const uint8_t model_sha256[32])
{
    ein_head_status_t status = EIN_HEAD_OK;
    if (memcmp(model_sha256, own_sha256, sizeof(own_sha256)) != 0) {
        status = EIN_HEAD_ERR_MODEL;
    } else {
        memcpy(head.record.model_sha256, own_sha256, sizeof(own_sha256));
        head.record.magic = MAGIC;
        head.record.crc = crc;
        if (EIN_MODEL_HEAD_BYTES == 0) {
            status = EIN_HEAD_ERR_SLOT;
        } else if (crc_of_record() != crc) {
            status = EIN_HEAD_ERR_CRC;
        } else if (!fits()) {
            status = EIN_HEAD_ERR_UNFIT;
        } else if (!is_kept() && !keep()) {
            status = EIN_HEAD_ERR_SLOT;
        }
    }
    ein_head_load();
    return status;
}

bool ein_head_remove(void)
{
    uint32_t magic;
    bool gone =
        ein_port_slot_read(0, &magic, sizeof(magic)) && (magic == ERASED || ein_port_slot_erase());
    ein_head_load();
    return gone;
}
