/* What the rhythm stage takes and gives: beats in, episodes out.
 *
 * Times are samples of the pipeline's rate as the core counts them: they wrap, differences stay
 * right as long as what is compared lies less than 138 days apart.
 */
#ifndef EIN_RHYTHM_TYPES_H
#define EIN_RHYTHM_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "ein_rhythm_spec.h"
#include "ein_types.h"

typedef struct {
    uint32_t t_samples;         /* R; not before that of the beat before */
    uint16_t flags;             /* EIN_FLAG_*; EIN_FLAG_BREAK: no rhythm since the beat before */
    uint8_t label;              /* EIN_CLASS_* */
    uint8_t confidence;         /* that the label is right, in 1/255 */
    const ein_tensor_t *tensor; /* of the core; NULL: only its time and class are known */
} ein_rhythm_beat_t;

typedef enum {
    EIN_RHYTHM_BEGIN = 1, /* it has begun, and lasts */
    EIN_RHYTHM_END = 2,   /* it is over; short ones are told only then */
} ein_rhythm_phase_t;

typedef struct {
    uint8_t kind;  /* ein_rhythm_kind_t */
    uint8_t phase; /* ein_rhythm_phase_t */
    uint32_t begin_samples;
    uint32_t end_samples; /* EIN_RHYTHM_END only */
} ein_rhythm_event_t;

/* Where the parts of the stage put their events; the caller of the stage takes them out after each
   beat or sample. More than fit at once are lost, which the largest number that one beat can cause
   rules out. */
#define EIN_RHYTHM_EVENTS 16u /* a power of two */

typedef struct {
    ein_rhythm_event_t events[EIN_RHYTHM_EVENTS];
    uint8_t first, count;
} ein_rhythm_queue_t;

static inline void ein_rhythm_put(ein_rhythm_queue_t *queue, ein_rhythm_kind_t kind,
                                  ein_rhythm_phase_t phase, uint32_t begin, uint32_t end)
{
    if (queue->count < EIN_RHYTHM_EVENTS) {
        queue->events[(queue->first + queue->count) % EIN_RHYTHM_EVENTS] =
            (ein_rhythm_event_t){(uint8_t)kind, (uint8_t)phase, begin, end};
        queue->count++;
    }
}

#endif
