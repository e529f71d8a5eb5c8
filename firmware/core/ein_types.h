/* What the signal path hands out: status codes, signal flags, the model's input, events.
 *
 * Time is counted in samples of the core's rate (EIN_PIPELINE_RATE_HZ), `t_samples`, from the first
 * sample = 0, gaps included. It wraps after 276 days; differences stay right.
 */
#ifndef EIN_TYPES_H
#define EIN_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ein_pipeline.h"

typedef enum {
    EIN_OK = 0,
    EIN_ERR_CONFIG = -1, /* a field of a configuration is out of its range */
    EIN_ERR_ARG = -2,    /* a null pointer or a bad argument */
} ein_status_t;

/* Bits of ein_event_t.flags. The first group is the state of the signal: EIN_EVENT_SIGNAL reports
   each change of it, and a beat carries what applied since the beat before. */
#define EIN_FLAG_SATURATED 0x0001u /* samples at the ADC's rail */
#define EIN_FLAG_FLAT 0x0002u      /* the input does not move */
#define EIN_FLAG_LEAD_OFF 0x0004u  /* the input stays at a rail */
#define EIN_FLAG_GAP 0x0008u       /* samples were lost */
#define EIN_FLAG_NOISY 0x0010u     /* noise comes near the beats: detections are doubtful */
#define EIN_FLAG_LEARNING 0x0020u  /* the detector is finding its levels */
/* Of a beat only: found late, at a lowered threshold; and gap, lead off or restart since the beat
   before, so that rr_prev is no rhythm. */
#define EIN_FLAG_SEARCH_BACK 0x0040u
#define EIN_FLAG_BREAK 0x0080u
/* Of the signal again, told by ein_disturbance and not by the core: why it is bad. */
#define EIN_FLAG_HUM 0x0100u    /* of the mains, 50 or 60 Hz */
#define EIN_FLAG_MOTION 0x0200u /* of electrode or body: the baseline jumps */
/* Of a beat as it is reported: plainly normal, the network was not run (ein_gate.h). */
#define EIN_FLAG_PASSED 0x0400u

/* The model's two int8 inputs as they stand: NHWC with N = H = 1, zero point 0. */
typedef struct {
    int8_t signal[EIN_WINDOW_SAMPLES][EIN_CHANNELS];
    int8_t features[EIN_FEATURES];
} ein_tensor_t;

typedef enum {
    EIN_EVENT_BEAT = 1,
    EIN_EVENT_SIGNAL = 2,
} ein_event_kind_t;

#define EIN_SLOT_NONE 0xFFu

typedef struct {
    uint8_t kind;               /* ein_event_kind_t */
    uint8_t slot;               /* template that the beat joined, or EIN_SLOT_NONE */
    uint16_t slot_beats;        /* in that template, this one included; saturating */
    uint16_t flags;             /* EIN_FLAG_* */
    uint32_t t_samples;         /* R position, or when the state of the signal changed */
    uint32_t t_emitted;         /* the sample at which the event left the core */
    uint32_t rr_prev_samples;   /* 0: there is no beat before */
    uint32_t rr_next_samples;   /* 0: none came within EIN_RR_MAX_SAMPLES, or the record ended */
    const ein_tensor_t *tensor; /* beats only, else NULL; valid until the next call */
} ein_event_t;

#endif
