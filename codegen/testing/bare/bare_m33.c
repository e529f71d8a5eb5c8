/* Cortex-M33 in QEMU (mps2-an505), all of it Secure. */
#define BARE_FPGAIO 0x50302000
#include "bare_mps.h"

static void bare_wake(void)
{
}
