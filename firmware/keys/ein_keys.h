/* Who may read and change what belongs to patients: the device's key, challenge and response.
 *
 * The key is 32 random bytes that the operator keeps (fleet.toml) and that never crosses the wire
 * again once it is set. Both sides prove that they have it: keyed BLAKE2b over a purpose, both
 * sides' nonces and the device's identity, compared in constant time. A challenge is answered once.
 * A device without a key is open to all, and says so; one that had a key and cannot read it any
 * more is open to nobody.
 *
 * A failure is written down before a proof is looked at, so that neither a reset nor a cut of the
 * power saves an attacker the wait: none after the first two failures in a row, then 1 s, 2 s, 4 s
 * ... up to an hour, counted anew after every reset, for the right key, too.
 *
 * One device, one key: the state is static, 236 bytes. Stack: at most 700 bytes (docs/security.md).
 * Times are a monotonic clock's milliseconds since the reset, modulo 2^32. Never from an interrupt.
 */
#ifndef EIN_KEYS_H
#define EIN_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EIN_KEYS_BYTES 32u
/* An open session closes when nothing that needs the key came for so long. */
#define EIN_KEYS_IDLE_MS 120000u

typedef enum {
    EIN_KEYS_NONE = 0, /* no key was ever set: open to all */
    EIN_KEYS_SET = 1,
    EIN_KEYS_LOST = 2 /* there was one, and it cannot be read: open to nobody */
} ein_keys_state_t;

typedef enum {
    EIN_KEYS_OK = 0,
    EIN_KEYS_ERR_WAIT = -1,   /* too many failures: ein_keys_wait_ms() says how long */
    EIN_KEYS_ERR_PROOF = -2,  /* the other side does not have the key; counted */
    EIN_KEYS_ERR_BEGIN = -3,  /* no challenge is waiting for an answer */
    EIN_KEYS_ERR_CLOSED = -4, /* a key is set, and the session is not open */
    EIN_KEYS_ERR_STORE = -5   /* the port does not keep what is written */
} ein_keys_status_t;

/* Once, before all others. `device_id`: what names this device and no other, n <= 24 characters.
   Reads the store, and counts the boot in it: one write. */
void ein_keys_init(const char *device_id, size_t n, uint32_t now_ms);

/* Whether what belongs to patients may be read and changed now: log, heads, thresholds, firmware,
   time. Every handler of such a message asks this first. Without a key always, with a lost one
   never. */
bool ein_keys_is_open(void);

/* Something that needed the key was done: the idle time begins anew. */
void ein_keys_touch(uint32_t now_ms);

/* Closes an idle session: once a second or so. */
void ein_keys_step(uint32_t now_ms);

/* The link was lost, or somebody new says hello. */
void ein_keys_close(void);

ein_keys_state_t ein_keys_state(void);

/* Until a proof is looked at; 0: at once. */
uint32_t ein_keys_wait_ms(uint32_t now_ms);

/* Boots that the store has counted, this one included; 0 without a store. Never goes back. */
uint32_t ein_keys_boots(void);

/* A word that is kept beside the key; 0 until there was one. */
uint32_t ein_keys_settings(void);

/* Keeps it; a cut of the power leaves this or the one before. False: the store does not take it. */
bool ein_keys_keep_settings(uint32_t settings);

/* A new challenge for a host that sent its own nonce. Closes the session. */
void ein_keys_begin(const uint8_t host_nonce[32], uint8_t device_nonce[32]);

/* The host's answer. EIN_KEYS_OK: the session is open, and `device_proof` is the device's own. The
   same answer again, since a reply may be lost, gets the same. Else `device_proof` is zeros. */
ein_keys_status_t ein_keys_prove(const uint8_t host_proof[32], uint8_t device_proof[32],
                                 uint32_t now_ms);

/* Sets the first key, or replaces it in an open session. `key`: of the first as it is, since the
   cable that it comes over is the one that the firmware came over; later ones masked by what only
   both sides know (keyed BLAKE2b of the old key). `proof`: made with the new key over this session.
   Needs a challenge (ein_keys_begin), and closes the session; on an error the old key stays. A host
   that missed the reply tries the new key. */
ein_keys_status_t ein_keys_set(const uint8_t key[32], const uint8_t proof[32], uint32_t now_ms);

#endif
