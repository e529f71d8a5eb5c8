/* How sure the model is of a beat's class: softmax of the int8 logits, in integers.
 *
 * The temperature and the limit below which a beat counts as unsure were chosen on held-out
 * patients (training/model/calibrate.py); the generated table holds both. confidence / 255 is the
 * share of such beats whose class is right, as far as patients are like those.
 */
#ifndef EIN_CONFIDENCE_H
#define EIN_CONFIDENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "ein_types.h"

/* Probability of the class with the largest logit, in 1/255, rounded: 255 / EIN_CLASSES .. 255; 0
   for a model that was never calibrated. */
uint8_t ein_confidence(const int8_t logits[EIN_CLASSES]);

/* Whether to say "don't know": the confidence is below the model's limit or unknown, or `flags`
   (EIN_FLAG_*) say that the signal was bad since the beat before. */
bool ein_confidence_unsure(uint8_t confidence, uint16_t flags);

#endif
