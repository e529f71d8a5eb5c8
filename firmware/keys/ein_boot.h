/* The boot stage's decision, apart from registers: which slot to start.
 *
 * Stack: 2.2 KB (Ed25519). A slot that is confirmed costs two reads of its header; one that was
 * never started a SHA-512 of its program and an Ed25519 check (docs/security.md has the figures).
 */
#ifndef EIN_BOOT_H
#define EIN_BOOT_H

#include <stdint.h>

/* The slot to start; EIN_SLOTS: there is none. `public_key`: the operator's; all zeros: the boot
   stage was given none, and starts what nobody has signed, if its digest is right. */
unsigned ein_boot_choose(const uint8_t public_key[32], const char *board);

#endif
