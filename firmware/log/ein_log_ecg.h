/* A strip's ECG in the log, without loss: int16 samples in pieces of at most
 * EIN_LOG_ECG_CODE_BYTES.
 *
 * A sample is predicted from the four differences before it by weights (Q12) that a sign-sign LMS
 * moves after every sample; what is left, modulo 2^16, is Rice-coded in blocks of
 * EIN_LOG_ECG_BLOCK, each with the parameter that makes it shortest (docs/log.md, to the bit). A
 * piece begins with a sample as it is and with the weights as they are then, so that it can be read
 * without the others. Any samples come back, rails and jumps too: what is worst takes 17.5 bits
 * each. RAM: sizeof(ein_log_ecg_coder_t), about 0.4 KB. Stack: 150 bytes.
 */
#ifndef EIN_LOG_ECG_H
#define EIN_LOG_ECG_H

#include "ein_log.h"

#define EIN_LOG_ECG_BLOCK 16u
#define EIN_LOG_ECG_TAPS 4u
#define EIN_LOG_ECG_CODE_BYTES 240u

typedef struct {
    int32_t weights_q12[EIN_LOG_ECG_TAPS];
    int32_t differences[EIN_LOG_ECG_TAPS];
    int16_t last;
} ein_log_ecg_model_t;

typedef struct {
    ein_log_ecg_t fields; /* of the piece */
    ein_log_ecg_model_t model;
    int16_t block[EIN_LOG_ECG_BLOCK];
    uint8_t waiting; /* samples in the block */
    bool begun;      /* the piece has its first sample */
    uint32_t bits;   /* of the code so far */
    uint8_t code[EIN_LOG_ECG_CODE_BYTES];
} ein_log_ecg_coder_t;

/* A new strip; number: in the records of its pieces and in its EIN_LOG_STRIP. */
void ein_log_ecg_begin(ein_log_ecg_coder_t *coder, uint16_t number);

/* The strip's next sample. Every few hundred samples it appends a piece: then as that answers. At
   most 65535 samples. */
ein_log_status_t ein_log_ecg_sample(ein_log_ecg_coder_t *coder, ein_log_t *log, int16_t sample,
                                    uint32_t now_ms);

/* n samples of the strip never came: the piece ends, and the next one begins behind them. */
ein_log_status_t ein_log_ecg_skip(ein_log_ecg_coder_t *coder, ein_log_t *log, uint32_t n,
                                  uint32_t now_ms);

/* Appends what is left. */
ein_log_status_t ein_log_ecg_end(ein_log_ecg_coder_t *coder, ein_log_t *log, uint32_t now_ms);

/* The samples of a piece: fields as ein_log_unpack() gives them, n bytes of code behind them.
   Returns how many were put into samples, which has room for fields->samples; fewer than that: the
   code is damaged. */
size_t ein_log_ecg_read(const ein_log_ecg_t *fields, const uint8_t *code, size_t n,
                        int16_t *samples);

#endif
