/* The second stage of the boot (data sheet, 2.8.1.3.1): 256 bytes at the start of the flash, which
   the boot ROM copies to RAM, holds against their checksum, and calls.

   It sets the flash up for execution in place by the command that every serial flash knows (03h,
   one bit at a time, a quarter of the system's clock: 31 MHz of the 50 that a W25Q16 allows for
   it). LR = 0: it came from the boot ROM, and goes on to the image; else it returns, to whom had to
   take the flash out of that mode to write it. */
    .syntax unified
    .cpu cortex-m0plus
    .thumb
    .section .boot2, "ax"
    .global _boot2
_boot2:
    push {lr}
    ldr r3, =0x18000000     /* SSI, 4.10.13 */
    movs r1, #0
    str r1, [r3, #0x08]     /* SSIENR: off while it is set up */
    movs r1, #4
    str r1, [r3, #0x14]     /* BAUDR */
    ldr r1, =0x001F0300     /* CTRLR0: 32-bit frames, "EEPROM read": command, then data */
    str r1, [r3, #0x00]
    movs r1, #0
    str r1, [r3, #0x04]     /* CTRLR1: one frame a read */
    ldr r1, =0x03000218     /* SPI_CTRLR0: command 03h of 8 bits, address of 24, all on one line */
    ldr r2, =0x180000F4
    str r1, [r2]
    movs r1, #1
    str r1, [r3, #0x08]
    pop {r0}
    cmp r0, #0
    bne back
    ldr r0, =0x10000100     /* the image's vectors */
    ldr r1, =0xE000ED08     /* VTOR */
    str r0, [r1]
    ldmia r0, {r0, r1}
    msr msp, r0
    bx r1
back:
    bx r0
    .ltorg
    .org _boot2 + 252
    /* CRC-32 of the 252 bytes above: polynomial 04C11DB7, not reflected, begun with all ones
       (2.8.1.3.1). A test computes it anew. */
    .word 0x28B014FD
