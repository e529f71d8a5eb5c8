#include "ein_feed.h"

#include <string.h>

#define LOST_MAX 0x1FFFu
#define LEADS_SHIFT 13u
#define NO_SAMPLE 0x8000u

/* What the consumer sees in the ring must be whole; one core, so the compiler's order is enough. */
#define BARRIER() __asm__ volatile("" ::: "memory")

void ein_feed_init(ein_feed_t *feed, const ein_decimator_table_t *table, int16_t rail_lo,
                   int16_t rail_hi)
{
    memset(feed, 0, sizeof(*feed));
    ein_clock_init(&feed->clock, table->rate_hz);
    ein_decimator_init(&feed->decimator, table);
    feed->rail_lo = rail_lo;
    feed->rail_hi = rail_hi;
    feed->unfilled = table->taps;
}

static bool put(ein_feed_t *feed, int16_t count, uint32_t tag)
{
    const uint32_t head = feed->head;
    if (head - feed->tail >= EIN_FEED_RING) {
        return false;
    }
    const uint32_t lost = feed->lost < LOST_MAX ? feed->lost : LOST_MAX;
    feed->ring[head % EIN_FEED_RING] = (ein_feed_entry_t){count, (uint16_t)(tag | lost)};
    feed->lost -= lost;
    BARRIER();
    feed->head = head + 1u;
    return true;
}

static void put_gap(ein_feed_t *feed)
{
    while (feed->lost > 0 && put(feed, 0, NO_SAMPLE)) {
    }
}

static void give(ein_feed_t *feed, int16_t count, uint8_t leads)
{
    feed->begun = true;
    if (feed->lost > LOST_MAX) {
        put_gap(feed);
    }
    if (!put(feed, count, (uint32_t)leads << LEADS_SHIFT)) {
        feed->stats.overruns++;
        feed->lost++;
    }
}

void ein_feed_bad(ein_feed_t *feed, uint32_t n)
{
    if (n == 0) {
        return;
    }
    const uint32_t outputs = ein_decimator_skip(&feed->decimator, n);
    feed->unfilled = feed->decimator.table->taps;
    feed->stats.lost += n;
    feed->lost += feed->begun ? outputs : 0u;
}

bool ein_feed_edges(ein_feed_t *feed, uint32_t us, uint32_t n)
{
    const int32_t lost = ein_clock_edge(&feed->clock, us, n);
    feed->stats.clock_ppm = feed->clock.ppm;
    if (lost < 0) {
        feed->stats.spurious++;
        return false;
    }
    ein_feed_bad(feed, (uint32_t)lost);
    return true;
}

bool ein_feed_edge(ein_feed_t *feed, uint32_t us)
{
    const uint32_t lost = feed->stats.lost;
    if (!ein_feed_edges(feed, us, 1)) {
        return false;
    }
    feed->stats.late += feed->stats.lost != lost && !feed->silent ? 1u : 0u;
    feed->silent = false;
    return true;
}

void ein_feed_follow(ein_feed_t *feed, uint32_t us, uint32_t n)
{
    ein_clock_follow(&feed->clock, us, n);
    feed->stats.clock_ppm = feed->clock.ppm;
}

void ein_feed_push(ein_feed_t *feed, int16_t count, uint8_t leads)
{
    const uint8_t taps = feed->decimator.table->taps;
    feed->stats.samples++;
    if (leads != 0 || count <= feed->rail_lo || count >= feed->rail_hi) {
        feed->spoilt = taps;
        feed->leads |= leads;
    }
    if (feed->unfilled > 0) {
        feed->unfilled--;
    }
    int16_t out;
    const bool due = ein_decimator_push(&feed->decimator, count, &out);
    if (due && feed->unfilled > 0) {
        feed->lost += feed->begun ? 1u : 0u;
    } else if (due) {
        give(feed, feed->spoilt > 0 ? feed->rail_hi : out, feed->leads);
    }
    if (feed->spoilt > 0 && --feed->spoilt == 0) {
        feed->leads = 0;
    }
}

void ein_feed_silent(ein_feed_t *feed, uint32_t us)
{
    ein_feed_bad(feed, ein_clock_overdue(&feed->clock, us));
    feed->silent = true;
    put_gap(feed);
}

bool ein_feed_take(ein_feed_t *feed, ein_feed_entry_t *entry)
{
    const uint32_t tail = feed->tail;
    if (tail == feed->head) {
        return false;
    }
    BARRIER();
    *entry = feed->ring[tail % EIN_FEED_RING];
    BARRIER();
    feed->tail = tail + 1u;
    return true;
}
