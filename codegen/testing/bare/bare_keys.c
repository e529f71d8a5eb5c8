/* The key's and the image's arithmetic on a bare target: known answers, instructions, stack.
 *
 * Prints words in hexadecimal, in the order of bare_keys.py. What ein_keys_port.h asks for is RAM
 * here.
 */
#include <string.h>

#include "bare.h"
#include "case.h"
#include "ein_image.h"
#include "ein_keys.h"
#include "ein_keys_port.h"
#include "ein_sha512.h"
#include "monocypher.h"

#define PAINT 0xA5u
#define PAINTED_BYTES 4096u
#define FRAME_BYTES 64u

int main(void);

static uint8_t pages[EIN_KEYS_PAGES][EIN_KEYS_PAGE_BYTES];

bool ein_keys_port_read(unsigned page, uint32_t offset, void *bytes, size_t n)
{
    memcpy(bytes, pages[page] + offset, n);
    return true;
}

bool ein_keys_port_erase(unsigned page)
{
    memset(pages[page], 0xFF, EIN_KEYS_PAGE_BYTES);
    return true;
}

bool ein_keys_port_write(unsigned page, uint32_t offset, const void *bytes, size_t n)
{
    memcpy(pages[page] + offset, bytes, n);
    return true;
}

size_t ein_keys_port_entropy(uint8_t bytes[32])
{
    (void)bytes;
    return 0;
}

static void put_hex(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bare_put("0123456789abcdef"[bytes[i] >> 4]);
        bare_put("0123456789abcdef"[bytes[i] & 15u]);
    }
    bare_put('\n');
}

static void put_word(uint32_t word)
{
    const uint8_t bytes[4] = {(uint8_t)(word >> 24), (uint8_t)(word >> 16), (uint8_t)(word >> 8),
                              (uint8_t)word};
    put_hex(bytes, sizeof(bytes));
}

/* Below a frame lies nothing that anybody needs; its own is spared. */
__attribute__((noinline)) static uint8_t *paint(void)
{
    const uintptr_t here = (uintptr_t)__builtin_frame_address(0) - FRAME_BYTES;
    volatile uint8_t *area = (volatile uint8_t *)(here - PAINTED_BYTES);
    for (size_t i = 0; i < PAINTED_BYTES; i++) {
        area[i] = PAINT;
    }
    return (uint8_t *)(here - PAINTED_BYTES);
}

static uint32_t used(const uint8_t *area)
{
    uint32_t untouched = 0;
    while (untouched < PAINTED_BYTES && area[untouched] == PAINT) {
        untouched++;
    }
    return PAINTED_BYTES - untouched;
}

static void answers(void)
{
    for (unsigned i = 0; i < CASE_MACS; i++) {
        uint8_t mac[32], digest[64];
        ein_sha512_t sha;
        crypto_blake2b_keyed(mac, 32, case_keys[i], 32, case_messages[i], CASE_MESSAGE_BYTES);
        put_hex(mac, sizeof(mac));
        ein_sha512_init(&sha);
        ein_sha512_update(&sha, case_messages[i], CASE_MESSAGE_BYTES);
        ein_sha512_final(&sha, digest);
        put_hex(digest, sizeof(digest));
    }
    for (unsigned i = 0; i < CASE_HEADERS; i++) {
        put_word(ein_image_is_signed(case_headers[i], case_public_key) ? 1 : 0);
    }
}

/* Of the comparison: the right proof first, then one with each byte wrong. */
static void compare(void)
{
    uint8_t proof[32];
    for (unsigned i = 0; i <= 32; i++) {
        memcpy(proof, case_keys[0], sizeof(proof));
        if (i > 0) {
            proof[i - 1] ^= 1;
        }
        const uint32_t before = bare_count();
        const int differs = crypto_verify32(proof, case_keys[0]);
        const uint32_t after = bare_count();
        put_word(after - before);
        put_word(differs != 0 ? 1 : 0);
    }
}

/* Of ein_keys_prove() as a whole for wrong proofs that differ from the right one in one byte. */
static void prove(void)
{
    uint8_t nonce[32] = {0}, proof[32], own[32];
    uint32_t now_ms = 0;
    for (unsigned i = 0; i < 32; i++) {
        memset(pages, 0xFF, sizeof(pages));
        ein_keys_init("", 0, 0);
        ein_keys_begin(nonce, own);
        ein_keys_set(case_keys[0], case_set_proof, 0);
        ein_keys_begin(nonce, own);
        memcpy(proof, case_host_proof, sizeof(proof));
        proof[i] ^= 0x80;
        const uint32_t before = bare_count();
        const ein_keys_status_t status = ein_keys_prove(proof, own, now_ms);
        const uint32_t after = bare_count();
        put_word(after - before);
        put_word((uint32_t)-status);
    }
    ein_keys_begin(nonce, own);
    uint8_t *area = paint();
    const uint32_t before = bare_count();
    ein_keys_prove(case_host_proof, own, now_ms);
    const uint32_t after = bare_count();
    put_word(after - before);
    put_word(used(area));
}

static void signature(void)
{
    uint8_t *area = paint();
    const uint32_t before = bare_count();
    ein_image_is_signed(case_headers[0], case_public_key);
    const uint32_t after = bare_count();
    put_word(after - before);
    put_word(used(area));
    ein_sha512_t sha;
    ein_sha512_init(&sha);
    const uint32_t from = bare_count();
    for (unsigned i = 0; i < 8; i++) { /* 1 KB */
        ein_sha512_update(&sha, case_headers[0], EIN_IMAGE_SIGNED_BYTES);
    }
    put_word(bare_count() - from);
}

int main(void)
{
    answers();
    compare();
    prove();
    signature();
    bare_exit();
    return 0;
}
