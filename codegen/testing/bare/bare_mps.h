/* Arm's MPS boards in QEMU: instructions by the counter of the board's FPGA, 20 MHz.
 *
 * With -icount shift=7 an instruction takes 128 ns of virtual time, 2.56 ticks: their number,
 * rounded, is exact. It must be asked for before the counter goes round, every 214 s of that time.
 * BARE_FPGAIO: where the registers of the FPGA lie.
 */
#ifndef BARE_MPS_H
#define BARE_MPS_H

#include "bare_cortex_m.h"

#define FPGA_COUNTER (*(volatile uint32_t *)(BARE_FPGAIO + 0x18))

uint32_t bare_count(void)
{
    static uint32_t last;
    static uint64_t ticks;
    const uint32_t now = FPGA_COUNTER;

    ticks += now - last;
    last = now;
    return (uint32_t)((ticks * 25u + 32u) / 64u);
}

#endif
