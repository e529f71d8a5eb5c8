/* Host-only face of the application's session for cffi: a record through the whole firmware, core
   to rhythm, in a few calls. The port below has no clock, no link and no slot: a session needs
   none. */
#include "ein_port.h"
#include "ein_session.h"

#include <string.h>

/* As einthoven/native/session.py reads it; kind: 0 a beat, 1 a signal's state, 2 a rhythm event. */
typedef struct {
    uint32_t kind, t_samples, t_emitted, flags, rr_prev, rr_next, tensor_crc;
    uint8_t label, confidence, unsure;
    int8_t logits[EIN_CLASSES], unadapted[EIN_CLASSES];
    uint8_t unused[3];
} told_t;

/* More than one sample or the end of a record can cause. */
#define MOST_AT_ONCE (4u * EIN_OUTBOX_EVENTS)

static ein_session_t session;
static told_t *told;
static size_t told_count;

uint32_t ein_port_count(void)
{
    return 0;
}

void ein_port_poll(bool idle)
{
    (void)idle;
}

bool ein_port_slot_read(uint32_t offset, void *bytes, size_t n)
{
    (void)offset, (void)bytes, (void)n;
    return false;
}

bool ein_port_slot_erase(void)
{
    return false;
}

bool ein_port_slot_write(uint32_t offset, const void *bytes, size_t n)
{
    (void)offset, (void)bytes, (void)n;
    return false;
}

static void on_event(void *context, const ein_outbox_event_t *event)
{
    const ein_wire_beat_t *beat = &event->beat;
    told_t *to = &told[told_count++];

    (void)context;
    *to = (told_t){
        .kind = event->type == EIN_WIRE_BEAT     ? 0u
                : event->type == EIN_WIRE_SIGNAL ? 1u
                                                 : 2u,
        .t_samples = beat->t_samples,
        .t_emitted = beat->t_emitted,
        .flags = beat->flags,
        .rr_prev = beat->rr_prev_samples,
        .rr_next = beat->rr_next_samples,
        .tensor_crc = beat->tensor_crc,
        .label = beat->label,
        .confidence = beat->confidence,
        .unsure = beat->unsure,
    };
    memcpy(to->logits, beat->logits, sizeof to->logits);
    memcpy(to->unadapted, beat->unadapted, sizeof to->unadapted);
    ein_outbox_acknowledge(&session.outbox, beat->number + 1u);
}

uint32_t ein_host_session_room(void)
{
    return MOST_AT_ONCE;
}

/* 0, or the core's error for a gain or rails that it refuses. Forgets the session before. */
int ein_host_session_start(uint16_t gain_lsb_per_mv, int16_t rail_lo, int16_t rail_hi)
{
    const ein_wire_start_t start = {
        .session = 1,
        .mode = EIN_WIRE_MODE_REPLAY,
        .gain_lsb_per_mv = gain_lsb_per_mv,
        .rail_lo = rail_lo,
        .rail_hi = rail_hi,
    };
    ein_session_init(&session, on_event, NULL);
    return (int)ein_session_start(&session, &start);
}

/* Samples in, until they end or `room` has less than ein_host_session_room() events left: `used` of
   them. Returns how many events were told. */
size_t ein_host_session_push(const int16_t *samples, size_t n, size_t *used, void *events,
                             size_t room)
{
    told = events;
    told_count = 0;
    for (*used = 0; *used < n && told_count + MOST_AT_ONCE <= room; (*used)++) {
        ein_session_push(&session, samples[*used]);
        ein_session_drain(&session);
    }
    return told_count;
}

size_t ein_host_session_gap(uint32_t lost, void *events)
{
    told = events;
    told_count = 0;
    ein_session_gap(&session, lost);
    ein_session_drain(&session);
    return told_count;
}

/* No more samples. verdict: in the order of strip.Raw. */
size_t ein_host_session_finish(void *events, uint32_t verdict[7])
{
    const ein_strip_verdict_t *of = &session.verdict;

    told = events;
    told_count = 0;
    ein_session_finish(&session);
    verdict[0] = of->verdict;
    verdict[1] = of->probability;
    verdict[2] = of->reasons;
    verdict[3] = of->ventricular;
    verdict[4] = of->supraventricular;
    verdict[5] = of->rate_bpm;
    verdict[6] = of->longest_ms;
    return told_count;
}
