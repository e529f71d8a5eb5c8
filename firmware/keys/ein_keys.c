#include "ein_keys.h"

#include <string.h>

#include "ein_keys_port.h"
#include "ein_keys_store.h"
#include "monocypher.h"

/* What a keyed hash is for: nothing that is made for one purpose serves for another. */
#define PURPOSE_BYTES 16u
#define FOR_NONCE "einthoven nonce1"
#define FOR_HOST "einthoven host 1"
#define FOR_DEVICE "einthoven dev  1"
#define FOR_SETTING "einthoven set  1"
#define FOR_MASK "einthoven mask 1"

#define ID_BYTES 24u
#define FREE_FAILURES 2u
#define WAIT_MAX_S 3600u
#define WAIT_DOUBLINGS 12u /* 2^12 s is beyond the most */
#define FAILURES_MAX 0xFFFFu

static struct {
    ein_keys_record_t kept;
    ein_keys_state_t state;
    bool challenged; /* the nonces wait for an answer */
    bool proved;     /* the session is open */
    bool waiting;
    uint32_t waiting_since_ms, touched_ms;
    uint32_t challenges; /* since the boot */
    uint8_t id[ID_BYTES];
    uint8_t host_nonce[32], device_nonce[32];
} keys;

/* Keyed BLAKE2b-256 over purpose, identity, and both nonces. */
static void mac(uint8_t out[32], const uint8_t key[32], const char *purpose)
{
    crypto_blake2b_ctx hash;
    crypto_blake2b_keyed_init(&hash, 32, key, EIN_KEYS_BYTES);
    crypto_blake2b_update(&hash, (const uint8_t *)purpose, PURPOSE_BYTES);
    crypto_blake2b_update(&hash, keys.id, sizeof(keys.id));
    crypto_blake2b_update(&hash, keys.host_nonce, sizeof(keys.host_nonce));
    crypto_blake2b_update(&hash, keys.device_nonce, sizeof(keys.device_nonce));
    crypto_blake2b_final(&hash, out);
}

static bool is_proof(const uint8_t proof[32], const uint8_t key[32], const char *purpose)
{
    uint8_t right[32];
    mac(right, key, purpose);
    const bool same = crypto_verify32(right, proof) == 0;
    crypto_wipe(right, sizeof(right));
    return same;
}

static uint32_t wait_of(uint32_t failures)
{
    if (failures <= FREE_FAILURES) {
        return 0;
    }
    const uint32_t doublings = failures - FREE_FAILURES - 1u;
    const uint32_t s = doublings < WAIT_DOUBLINGS ? 1u << doublings : WAIT_MAX_S;
    return 1000u * (s < WAIT_MAX_S ? s : WAIT_MAX_S);
}

static void begin_waiting(uint32_t now_ms)
{
    keys.waiting = wait_of(keys.kept.failures) > 0;
    keys.waiting_since_ms = now_ms;
}

/* Counts before anything is tried, so that a cut of the power cannot undo it. */
static bool count_failure(void)
{
    ein_keys_record_t counted = keys.kept;
    counted.failures += counted.failures < FAILURES_MAX;
    if (!ein_keys_store_append(&counted)) {
        return false;
    }
    keys.kept = counted;
    return true;
}

bool ein_keys_keep_settings(uint32_t settings)
{
    ein_keys_record_t changed = keys.kept;
    changed.settings = settings;
    if (keys.state == EIN_KEYS_LOST || !ein_keys_store_append(&changed)) {
        return false;
    }
    keys.kept = changed;
    return true;
}

static bool forgive(void)
{
    ein_keys_record_t forgiven = keys.kept;
    forgiven.failures = 0;
    if (!ein_keys_store_append(&forgiven)) {
        return false;
    }
    keys.kept = forgiven;
    return true;
}

void ein_keys_init(const char *device_id, size_t n, uint32_t now_ms)
{
    memset(&keys, 0, sizeof(keys));
    memcpy(keys.id, device_id, n < sizeof(keys.id) ? n : sizeof(keys.id));
    const ein_keys_store_found_t found = ein_keys_store_mount(&keys.kept);
    if (found == EIN_KEYS_STORE_DAMAGED) {
        keys.state = EIN_KEYS_LOST; /* and nothing is written over what may be saved */
        return;
    }
    keys.state = keys.kept.has_key == 1 ? EIN_KEYS_SET : EIN_KEYS_NONE;
    ein_keys_record_t counted = keys.kept;
    counted.boots++;
    if (ein_keys_store_append(&counted)) {
        keys.kept = counted;
    }
    begin_waiting(now_ms);
}

bool ein_keys_is_open(void)
{
    return keys.state == EIN_KEYS_NONE || (keys.state == EIN_KEYS_SET && keys.proved);
}

void ein_keys_touch(uint32_t now_ms)
{
    keys.touched_ms = now_ms;
}

void ein_keys_step(uint32_t now_ms)
{
    if (keys.proved && now_ms - keys.touched_ms >= EIN_KEYS_IDLE_MS) {
        ein_keys_close();
    }
    (void)ein_keys_wait_ms(now_ms); /* a wait that is over stays over when the clock wraps */
}

void ein_keys_close(void)
{
    keys.proved = false;
    keys.challenged = false;
    crypto_wipe(keys.host_nonce, sizeof(keys.host_nonce));
    crypto_wipe(keys.device_nonce, sizeof(keys.device_nonce));
}

ein_keys_state_t ein_keys_state(void)
{
    return keys.state;
}

uint32_t ein_keys_wait_ms(uint32_t now_ms)
{
    if (!keys.waiting) {
        return 0;
    }
    const uint32_t wait_ms = wait_of(keys.kept.failures);
    const uint32_t waited_ms = now_ms - keys.waiting_since_ms;
    if (waited_ms < wait_ms) {
        return wait_ms - waited_ms;
    }
    keys.waiting = false;
    return 0;
}

uint32_t ein_keys_boots(void)
{
    return keys.kept.boots;
}

uint32_t ein_keys_settings(void)
{
    return keys.kept.settings;
}

/* Of what never repeats and of what nobody else knows; real randomness comes on top of both. */
static void make_nonce(void)
{
    uint8_t entropy[32] = {0};
    uint32_t counts[2] = {keys.kept.boots, ++keys.challenges};
    const size_t n = ein_keys_port_entropy(entropy);
    crypto_blake2b_ctx hash;
    crypto_blake2b_keyed_init(&hash, 32, keys.kept.key, EIN_KEYS_BYTES);
    crypto_blake2b_update(&hash, (const uint8_t *)FOR_NONCE, PURPOSE_BYTES);
    crypto_blake2b_update(&hash, keys.id, sizeof(keys.id));
    crypto_blake2b_update(&hash, (const uint8_t *)counts, sizeof(counts));
    crypto_blake2b_update(&hash, entropy, n < sizeof(entropy) ? n : sizeof(entropy));
    crypto_blake2b_final(&hash, keys.device_nonce);
}

void ein_keys_begin(const uint8_t host_nonce[32], uint8_t device_nonce[32])
{
    ein_keys_close();
    make_nonce();
    memcpy(keys.host_nonce, host_nonce, sizeof(keys.host_nonce));
    memcpy(device_nonce, keys.device_nonce, sizeof(keys.device_nonce));
    keys.challenged = true;
}

ein_keys_status_t ein_keys_prove(const uint8_t host_proof[32], uint8_t device_proof[32],
                                 uint32_t now_ms)
{
    memset(device_proof, 0, EIN_KEYS_BYTES);
    if (keys.state != EIN_KEYS_SET || (!keys.challenged && !keys.proved)) {
        return EIN_KEYS_ERR_BEGIN;
    }
    if (keys.proved) { /* the reply was lost, or somebody else tries his luck */
        if (!is_proof(host_proof, keys.kept.key, FOR_HOST)) {
            ein_keys_close();
            return EIN_KEYS_ERR_BEGIN;
        }
        mac(device_proof, keys.kept.key, FOR_DEVICE);
        return EIN_KEYS_OK;
    }
    if (ein_keys_wait_ms(now_ms) > 0) {
        return EIN_KEYS_ERR_WAIT;
    }
    keys.challenged = false;
    if (!count_failure()) {
        return EIN_KEYS_ERR_STORE;
    }
    if (!is_proof(host_proof, keys.kept.key, FOR_HOST)) {
        begin_waiting(now_ms);
        return EIN_KEYS_ERR_PROOF;
    }
    if (!forgive()) {
        return EIN_KEYS_ERR_STORE;
    }
    keys.proved = true;
    keys.touched_ms = now_ms;
    mac(device_proof, keys.kept.key, FOR_DEVICE);
    return EIN_KEYS_OK;
}

/* `masked` is what came; `key` what was meant. */
static void unmask(uint8_t key[32], const uint8_t masked[32])
{
    uint8_t mask[32] = {0};
    if (keys.state == EIN_KEYS_SET) {
        mac(mask, keys.kept.key, FOR_MASK);
    }
    for (unsigned i = 0; i < EIN_KEYS_BYTES; i++) {
        key[i] = masked[i] ^ mask[i];
    }
    crypto_wipe(mask, sizeof(mask));
}

ein_keys_status_t ein_keys_set(const uint8_t key[32], const uint8_t proof[32], uint32_t now_ms)
{
    if (keys.state == EIN_KEYS_LOST) {
        return EIN_KEYS_ERR_CLOSED;
    }
    if (keys.state == EIN_KEYS_NONE ? !keys.challenged : !keys.proved) {
        return keys.state == EIN_KEYS_NONE ? EIN_KEYS_ERR_BEGIN : EIN_KEYS_ERR_CLOSED;
    }
    ein_keys_record_t changed = keys.kept;
    changed.has_key = 1;
    unmask(changed.key, key);
    ein_keys_status_t status = EIN_KEYS_OK;
    if (!is_proof(proof, changed.key, FOR_SETTING)) {
        status = EIN_KEYS_ERR_PROOF; /* damaged, or of another session; nobody guesses here */
    } else if (!ein_keys_store_renew(&changed)) {
        status = EIN_KEYS_ERR_STORE;
    } else {
        keys.kept = changed;
        keys.state = EIN_KEYS_SET;
        begin_waiting(now_ms);
    }
    crypto_wipe(&changed, sizeof(changed));
    ein_keys_close();
    return status;
}
