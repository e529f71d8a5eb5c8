/* Whether memory holds what is written into it, without losing what it holds.
 *
 * A march (C-: every cell read as 0 and as 1 behind a change of its neighbours below and above it)
 * with two backgrounds, so that bits of one word are told apart, over eight words at a time, whose
 * content is put back before anything else runs; before it, every address line against the others.
 * Finds cells that are stuck or do not change, that follow another of the same eight words, and
 * address lines that are stuck or joined. Not what fails only warm or after a while.
 *
 * Nothing but the caller may touch the memory meanwhile, DMA included: interrupts are masked for
 * eight words at a time (some 1,500 instructions). The KB around the caller's own stack is left
 * out. Feeds the watchdog. Stack: 120 B; about 200 instructions a word. No errors.
 */
#ifndef EIN_RAM_TEST_H
#define EIN_RAM_TEST_H

#include <stddef.h>
#include <stdint.h>

/* n words from `ram` on. Returns the first that is bad, or NULL. What is beyond a multiple of
   eight is not marched over. */
volatile uint32_t *ein_ram_test(volatile uint32_t *ram, size_t n);

#endif
