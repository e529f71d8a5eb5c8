/* What QEMU's machine lacks of a front end: samples from a file, by Arm's semihosting (Arm IHI
 * 0077).
 *
 * The emulator is started with `-semihosting-config enable=on,target=native,arg=device,arg=FILE`;
 * FILE holds int16, little-endian, at the pipeline's rate, and is read over and over. Never called
 * on silicon, where the instruction would be a fault.
 */
#ifndef EIN_EMULATED_H
#define EIN_EMULATED_H

#include <stdbool.h>
#include <stdint.h>

/* The next sample. False: no file was named, or it is empty. From the sample interrupt. */
bool ein_emulated_sample(int16_t *sample);

#endif
