/* The outbox against a plain model: numbers never skip, acknowledged events go, the rest stays as
   it was, also when the numbers wrap around 2^32. */
#include <stdio.h>

#include "ein_outbox.h"

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("FAIL line %d: %s\n", __LINE__, #condition);                                    \
            return 1;                                                                              \
        }                                                                                          \
    } while (0)

static uint32_t seed = 1;

static uint32_t random_below(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

int main(void)
{
    static ein_outbox_t outbox;
    ein_outbox_init(&outbox);
    CHECK(outbox.next == 0 && !ein_outbox_full(&outbox));
    outbox.first = outbox.next = UINT32_MAX - 100u;
    uint32_t first = outbox.first;
    uint32_t next = outbox.next;
    for (int step = 0; step < 20000; step++) {
        switch (random_below(4)) {
        case 0:
        case 1:
            CHECK(ein_outbox_full(&outbox) == (next - first == EIN_OUTBOX_EVENTS));
            if (!ein_outbox_full(&outbox)) {
                ein_outbox_event_t *event = ein_outbox_add(&outbox);
                CHECK(event->beat.number == next);
                event->beat.t_samples = next * 7u;
                next++;
            }
            break;
        case 2: {
            uint32_t number = first + random_below(EIN_OUTBOX_EVENTS + 8u) - 4u;
            ein_outbox_acknowledge(&outbox, number);
            if (number - first <= next - first) {
                first = number;
            }
            break;
        }
        default:
            if (first != next && random_below(8) == 0) {
                ein_outbox_drop(&outbox);
                first++;
            }
        }
        CHECK(outbox.first == first && outbox.next == next);
        for (uint32_t n = first; n != next; n++) {
            CHECK(ein_outbox_at(&outbox, n)->beat.number == n);
            CHECK(ein_outbox_at(&outbox, n)->beat.t_samples == n * 7u);
        }
    }
    printf("outbox: good\n");
    return 0;
}
