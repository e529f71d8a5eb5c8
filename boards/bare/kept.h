/* What survives a reset: 64 bytes of RAM that neither start-up code nor a loader touches. */
#ifndef EIN_KEPT_H
#define EIN_KEPT_H

#include <stdint.h>

#define EIN_KEPT_MAGIC 0xECC0FFEEu

typedef struct {
    uint32_t magic;  /* EIN_KEPT_MAGIC, or what follows means nothing */
    uint32_t reason; /* ein_reset_reason_t that the program gave itself */
} ein_kept_t;

extern ein_kept_t _kept; /* placed by the linker script */

#endif
