/* libFuzzer target: hostile bytes as an image's header, as headers and marks that lie in the slots,
   as messages of an update, and as proofs and keys, on flash in memory that aborts when its rules
   are broken.

   What must hold: nothing that is not signed starts; an update never touches the slot that runs;
   a device with a key opens for its proof only. */
#include <stdlib.h>
#include <string.h>

#include "ein_boot.h"
#include "ein_keys.h"
#include "ein_keys_port.h"
#include "ein_slots.h"
#include "ein_update.h"

#define SLOT_BYTES (EIN_IMAGE_HEADER_BYTES + EIN_IMAGE_MAX_BYTES)
#define FIRST 0x08020000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t slots[EIN_SLOTS][SLOT_BYTES], pages[EIN_KEYS_PAGES][EIN_KEYS_PAGE_BYTES];
static unsigned running;

static void require(bool good)
{
    if (!good) {
        abort();
    }
}

static bool write_flash(uint8_t *at, const uint8_t *bytes, size_t n)
{
    require(n % 4 == 0);
    for (size_t i = 0; i < n; i++) {
        at[i] &= bytes[i];
    }
    return true;
}

uint32_t ein_slots_port_address(unsigned slot)
{
    return FIRST + slot * 0x20000u;
}

unsigned ein_slots_port_running(void)
{
    return running;
}

bool ein_slots_port_read(unsigned slot, uint32_t offset, void *bytes, size_t n)
{
    require(slot < EIN_SLOTS && offset <= SLOT_BYTES && n <= SLOT_BYTES - offset);
    memcpy(bytes, slots[slot] + offset, n);
    return true;
}

bool ein_slots_port_erase(unsigned slot)
{
    require(slot < EIN_SLOTS && slot != running);
    memset(slots[slot], 0xFF, SLOT_BYTES);
    return true;
}

bool ein_slots_port_write(unsigned slot, uint32_t offset, const void *bytes, size_t n)
{
    require(slot < EIN_SLOTS && offset % 4 == 0 && offset <= SLOT_BYTES &&
            n <= SLOT_BYTES - offset);
    require(slot != running || offset >= EIN_IMAGE_SEQUENCE_AT);
    require(slot != running || offset < EIN_IMAGE_HEADER_BYTES);
    return write_flash(slots[slot] + offset, bytes, n);
}

bool ein_keys_port_read(unsigned page, uint32_t offset, void *bytes, size_t n)
{
    require(page < EIN_KEYS_PAGES && offset + n <= EIN_KEYS_PAGE_BYTES);
    memcpy(bytes, pages[page] + offset, n);
    return true;
}

bool ein_keys_port_erase(unsigned page)
{
    require(page < EIN_KEYS_PAGES);
    memset(pages[page], 0xFF, EIN_KEYS_PAGE_BYTES);
    return true;
}

bool ein_keys_port_write(unsigned page, uint32_t offset, const void *bytes, size_t n)
{
    require(page < EIN_KEYS_PAGES && offset % 4 == 0 && offset + n <= EIN_KEYS_PAGE_BYTES);
    return write_flash(pages[page] + offset, bytes, n);
}

size_t ein_keys_port_entropy(uint8_t bytes[32])
{
    memset(bytes, 0, 32);
    return 0;
}

/* Zeros where the input has ended. */
static void take(const uint8_t **data, size_t *size, void *out, size_t n)
{
    const size_t now = *size < n ? *size : n;
    memset(out, 0, n);
    memcpy(out, *data, now);
    *data += now;
    *size -= now;
}

/* A header that begins as one should, so that what follows is looked at. */
static void take_header(const uint8_t **data, size_t *size, uint8_t header[EIN_IMAGE_SENT_BYTES])
{
    static const uint8_t begin[] = EIN_IMAGE_MAGIC;
    uint8_t keep;
    take(data, size, &keep, 1);
    take(data, size, header, EIN_IMAGE_SENT_BYTES);
    if (keep & 1) {
        memcpy(header, begin, sizeof(begin));
        header[EIN_IMAGE_FORMAT_AT] = EIN_IMAGE_FORMAT;
        header[EIN_IMAGE_FORMAT_AT + 1] = 0;
        header[EIN_IMAGE_HEADER_BYTES_AT] = 0;
        header[EIN_IMAGE_HEADER_BYTES_AT + 1] = EIN_IMAGE_HEADER_BYTES >> 8;
        memset(header + EIN_IMAGE_RESERVED_AT, 0, EIN_IMAGE_RESERVED_BYTES);
    }
    if (keep & 2) {
        memcpy(header + EIN_IMAGE_BOARD_AT, "board", 6);
        const uint32_t load = FIRST + ((keep >> 3 & 1u) * 0x20000u);
        memcpy(header + EIN_IMAGE_LOAD_AT, &load, sizeof(load));
    }
    uint32_t bytes;
    memcpy(&bytes, header + EIN_IMAGE_SIZE_AT, sizeof(bytes));
    if (bytes <= EIN_IMAGE_MAX_BYTES || keep & 4) { /* small ones: the digest takes its time */
        bytes &= 0xFC;
        memcpy(header + EIN_IMAGE_SIZE_AT, &bytes, sizeof(bytes));
    }
}

static void fuzz_slots(const uint8_t *data, size_t size)
{
    /* Of a seed that nobody knows any more: no input can be signed with it. */
    static const uint8_t key[32] = {0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a,
                                    0x92, 0xb7, 0x0a, 0xa7, 0x4d, 0x1b, 0x7e, 0xbc,
                                    0x9c, 0x98, 0x2c, 0xcf, 0x2e, 0xc4, 0x96, 0x8c,
                                    0xc0, 0xcd, 0x55, 0xf1, 0x2a, 0xf4, 0x66, 0x0c};
    for (unsigned slot = 0; slot < EIN_SLOTS; slot++) {
        memset(slots[slot], 0xFF, EIN_IMAGE_HEADER_BYTES + 256u);
        take_header(&data, &size, slots[slot]);
        uint8_t written;
        take(&data, &size, &written, 1);
        if (written & 1) {
            take(&data, &size, slots[slot] + EIN_IMAGE_SEQUENCE_AT, 16);
        }
    }
    running = EIN_SLOTS;
    ein_image_t image;
    const unsigned slot = ein_boot_choose(key, "board");
    if (slot < EIN_SLOTS) { /* only what says that it was checked before */
        const ein_slot_state_t state = ein_slots_state(slot, &image);
        require(state == EIN_SLOT_TRIED || state == EIN_SLOT_CONFIRMED);
    }
}

static void fuzz_update(const uint8_t *data, size_t size)
{
    running = 0;
    memset(slots[0], 0xFF, EIN_IMAGE_HEADER_BYTES);
    memset(slots[1], 0xFF, EIN_IMAGE_HEADER_BYTES);
    ein_update_init();
    while (size > 0) {
        uint8_t what, n;
        uint8_t bytes[256];
        take(&data, &size, &what, 1);
        switch (what % 4u) {
        case 0:
            take_header(&data, &size, bytes);
            ein_update_begin(bytes, what & 8 ? EIN_IMAGE_SENT_BYTES : what, what & 16, "board");
            break;
        case 1: {
            uint32_t offset = ein_update_next();
            if (what & 8) {
                take(&data, &size, &offset, sizeof(offset));
            }
            take(&data, &size, &n, 1);
            take(&data, &size, bytes, n);
            ein_update_piece(offset, bytes, n);
            break;
        }
        case 2:
            ein_update_finish();
            break;
        default:
            ein_update_confirm();
            break;
        }
        require(ein_update_next() <= EIN_IMAGE_MAX_BYTES);
    }
}

static void fuzz_keys(const uint8_t *data, size_t size)
{
    uint32_t now_ms = 0;
    uint8_t a[32], b[32];
    take(&data, &size, pages, size % 512u); /* what lies there before */
    ein_keys_init("device", 6, now_ms);
    const bool had_key = ein_keys_state() != EIN_KEYS_NONE;
    while (size > 0) {
        uint8_t what;
        take(&data, &size, &what, 1);
        switch (what % 6u) {
        case 0:
            take(&data, &size, a, sizeof(a));
            ein_keys_begin(a, b);
            break;
        case 1:
            take(&data, &size, a, sizeof(a));
            require(ein_keys_prove(a, b, now_ms) != EIN_KEYS_OK);
            break;
        case 2:
            take(&data, &size, a, sizeof(a));
            take(&data, &size, b, sizeof(b));
            require(ein_keys_set(a, b, now_ms) != EIN_KEYS_OK);
            break;
        case 3:
            now_ms += (uint32_t)what << 12;
            ein_keys_step(now_ms);
            break;
        case 4:
            ein_keys_close();
            break;
        default:
            ein_keys_init("device", 6, 0);
            now_ms = 0;
            break;
        }
        require(had_key == (ein_keys_state() != EIN_KEYS_NONE));
        require(ein_keys_is_open() == !had_key);
        require(ein_keys_wait_ms(now_ms) <= 3600000u);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    memset(pages, 0xFF, sizeof(pages));
    switch (data[0] % 3u) {
    case 0:
        fuzz_slots(data + 1, size - 1);
        break;
    case 1:
        fuzz_update(data + 1, size - 1);
        break;
    default:
        fuzz_keys(data + 1, size - 1);
        break;
    }
    return 0;
}
