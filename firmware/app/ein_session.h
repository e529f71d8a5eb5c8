/* A session: samples in, numbered events out, through core and engine. Knows nothing of the wire.
 *
 * One model, one arena, hence one session at a time; all of it in static memory.
 */
#ifndef EIN_SESSION_H
#define EIN_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "ein_core.h"
#include "ein_disturbance.h"
#include "ein_gate.h"
#include "ein_outbox.h"
#include "ein_quality.h"
#include "ein_rhythm.h"
#include "ein_stats.h"
#include "ein_strip.h"
#include "ein_vote.h"
#include "ein_wire_gen.h"

/* Called for every new event, when it is ready to be sent. */
typedef void (*ein_session_on_event_t)(void *context, const ein_outbox_event_t *event);

typedef struct {
    ein_session_on_event_t on_event;
    void *context;
    uint32_t id; /* 0: none open */
    uint8_t mode;
    bool finishing, finished;
    uint32_t next_sample; /* all before it went through the core */
    uint32_t started_at;  /* counter when the newest sample was taken */
    uint32_t event_count_max;
    uint32_t events_lost;
    uint32_t rhythm_samples; /* when what the rhythm stage has to tell became known */
    bool rhythm_finished;
    uint16_t disturbed;          /* the disturbance's flags as last reported */
    uint16_t signal_state;       /* the core's, as last reported */
    ein_strip_verdict_t verdict; /* once it has finished */
    ein_gate_t gate;
    ein_quality_t quality;
    ein_stats_t per_sample, per_inference; /* the latter: of beats that the network was run for */
    ein_disturbance_t disturbance;
    ein_vote_t vote, vote_unadapted;
    ein_core_t core;
    ein_strip_t strip;
    ein_rhythm_t rhythm;
    ein_outbox_t outbox;
} ein_session_t;

/* No session is open, and who hears of events is known: once, before anything else. */
void ein_session_init(ein_session_t *session, ein_session_on_event_t on_event, void *context);

/* Opens a session and forgets the one before. Status of ein_core_init: on an error none is open. */
ein_status_t ein_session_start(ein_session_t *session, const ein_wire_start_t *start);

/* Takes the events that the core has ready, runs model and rhythm stage on beats and puts them into
   the outbox. False if the outbox is full, and there may be more. */
bool ein_session_drain(ein_session_t *session);

/* One sample through the core. Only after ein_session_drain returned true. */
void ein_session_push(ein_session_t *session, int16_t sample);

/* Samples that were lost before the one that is pushed next. After a drain, too. */
void ein_session_gap(ein_session_t *session, uint32_t lost);

/* No more samples. Call again until it returns true: the last event is then in the outbox. */
bool ein_session_finish(ein_session_t *session);

/* Runs the model on a tensor: `logits` by the patient's head where one is active, `unadapted` by
   the model's own last layers, else the same; `embedding`: what these read, zeros of a model that
   has none. Returns what the counter counted. */
uint32_t ein_session_infer(const ein_tensor_t *tensor, int8_t logits[EIN_CLASSES],
                           int8_t unadapted[EIN_CLASSES], int8_t embedding[EIN_STRIP_EMBEDDING]);

#endif
