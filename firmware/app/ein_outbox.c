#include "ein_outbox.h"

#include <assert.h>

void ein_outbox_init(ein_outbox_t *outbox)
{
    outbox->first = 0;
    outbox->next = 0;
}

bool ein_outbox_full(const ein_outbox_t *outbox)
{
    return outbox->next - outbox->first >= EIN_OUTBOX_EVENTS;
}

ein_outbox_event_t *ein_outbox_add(ein_outbox_t *outbox)
{
    assert(!ein_outbox_full(outbox));
    ein_outbox_event_t *event = &outbox->events[outbox->next % EIN_OUTBOX_EVENTS];
    event->beat.number = outbox->next;
    outbox->next++;
    return event;
}

void ein_outbox_acknowledge(ein_outbox_t *outbox, uint32_t number)
{
    if (number - outbox->first <= outbox->next - outbox->first) {
        outbox->first = number;
    }
}

void ein_outbox_drop(ein_outbox_t *outbox)
{
    assert(outbox->first != outbox->next);
    outbox->first++;
}

const ein_outbox_event_t *ein_outbox_at(const ein_outbox_t *outbox, uint32_t number)
{
    assert(number - outbox->first < outbox->next - outbox->first);
    return &outbox->events[number % EIN_OUTBOX_EVENTS];
}
