/* Received bytes on their way from an interrupt to the main loop: one writes, one reads, no lock.

   Head and tail count bytes and wrap at 2^32. The barriers keep the compiler from moving an access
   to `bytes` over the count that hands it to the other side; a core without caches needs no more.
   Zeroed is empty. */
#ifndef EIN_RX_H
#define EIN_RX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EIN_RX_BYTES 1024u /* a power of two */

typedef struct {
    uint8_t bytes[EIN_RX_BYTES];
    volatile uint32_t head; /* written by the interrupt only */
    volatile uint32_t tail; /* written by the main loop only */
    volatile uint32_t lost; /* bytes for which there was no room, or that the receiver lost */
} ein_rx_t;

static inline void ein_compiler_barrier(void)
{
    __asm volatile("" ::: "memory");
}

/* Interrupt: a byte has come. */
static inline void ein_rx_put(ein_rx_t *rx, uint8_t byte)
{
    const uint32_t head = rx->head;
    if (head - rx->tail >= EIN_RX_BYTES) {
        rx->lost++;
        return;
    }
    rx->bytes[head % EIN_RX_BYTES] = byte;
    ein_compiler_barrier();
    rx->head = head + 1;
}

/* Main loop: up to n bytes; returns how many. */
static inline size_t ein_rx_take(ein_rx_t *rx, uint8_t *bytes, size_t n)
{
    const uint32_t tail = rx->tail;
    const uint32_t there = rx->head - tail;
    const uint32_t taken = n < there ? (uint32_t)n : there;
    ein_compiler_barrier();
    for (uint32_t i = 0; i < taken; i++) {
        bytes[i] = rx->bytes[(tail + i) % EIN_RX_BYTES];
    }
    ein_compiler_barrier();
    rx->tail = tail + taken;
    return taken;
}

static inline bool ein_rx_empty(const ein_rx_t *rx)
{
    return rx->head == rx->tail;
}

#endif
