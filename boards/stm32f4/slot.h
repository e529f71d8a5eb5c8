/* The slot of the STM32F4 boards. */
#ifndef EIN_SLOT_H
#define EIN_SLOT_H

#include <stdbool.h>

/* Before any other function of the slot. Without silicon there is no flash to write: the slot is
   then RAM beyond the chip's, which the emulator has and keeps over a reset, but not longer. */
void ein_slot_init(bool is_silicon);

#endif
