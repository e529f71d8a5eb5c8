/* Records through the whole session, core to verdict, by the face that the host calls it by
 * (einthoven/native/session_host.c). The emulator has put them at SESSION_RECORDS, one behind the
 * other, each padded to four bytes.
 *
 * Prints for each record, in hex: events, the CRC-32 of what they say and of the verdict, and the
 * instructions of all of it in two words.
 */
#include <stddef.h>

#include "bare.h"
#include "ein_crc32.h"

#define EVENT_BYTES 44u
#define MOST_EVENTS 300u

typedef struct {
    uint32_t count, gain_lsb_per_mv;
    int32_t rail_lo, rail_hi;
    int16_t samples[];
} record_t;

/* session_host.c has no header: Python declares it, too. */
uint32_t ein_host_session_room(void);
int ein_host_session_start(uint16_t gain_lsb_per_mv, int16_t rail_lo, int16_t rail_hi);
size_t ein_host_session_push(const int16_t *samples, size_t n, size_t *used, void *events,
                             size_t room);
size_t ein_host_session_finish(void *events, uint32_t verdict[7]);

static uint32_t events[MOST_EVENTS * EVENT_BYTES / 4u];
static uint32_t told, crc;

static void put(uint32_t value)
{
    for (int shift = 28; shift >= 0; shift -= 4)
        bare_put("0123456789abcdef"[value >> shift & 15]);
    bare_put(' ');
}

static void keep(size_t count)
{
    told += (uint32_t)count;
    crc = ein_crc32(crc, events, count * EVENT_BYTES);
}

/* Instructions of one record. */
static uint64_t run(const record_t *record)
{
    uint32_t verdict[7], last = bare_count();
    uint64_t instructions = 0;

    ein_host_session_start((uint16_t)record->gain_lsb_per_mv, (int16_t)record->rail_lo,
                           (int16_t)record->rail_hi);
    for (size_t done = 0; done < record->count;) {
        const size_t some = record->count - done < 64u ? record->count - done : 64u;
        size_t used;

        keep(ein_host_session_push(record->samples + done, some, &used, events, MOST_EVENTS));
        done += used;
        instructions += bare_count() - last; /* which goes round */
        last = bare_count();
    }
    keep(ein_host_session_finish(events, verdict));
    crc = ein_crc32(crc, verdict, sizeof verdict);
    return instructions + (bare_count() - last);
}

int main(void)
{
    const uint32_t *at = (const uint32_t *)SESSION_RECORDS;

    if (ein_host_session_room() > MOST_EVENTS)
        return 1;
    for (uint32_t left = *at++; left > 0; left--) {
        const record_t *record = (const void *)at;

        told = crc = 0;
        const uint64_t instructions = run(record);
        put(told);
        put(crc);
        put((uint32_t)(instructions >> 32));
        put((uint32_t)instructions);
        at += 4u + (record->count + 1u) / 2u;
    }
    bare_exit();
    return 0;
}
