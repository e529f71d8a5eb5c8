/* What QEMU's machine lacks of a front end, from the machine that it runs on (semihosting.h).
 *
 * The emulator is started with `-semihosting-config enable=on,target=native,arg=device,arg=WHAT`.
 * WHAT is a file of int16, little-endian, at the pipeline's rate and as the board's ADC has them,
 * read over and over; or `models:NAME`: the pipes NAME.out and NAME.in of the models of a front
 * end's part (boards/beside), and then the device has a front end (beside.h).
 */
#ifndef EIN_EMULATED_H
#define EIN_EMULATED_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    EIN_EMULATED_NOTHING = 0, /* nothing was named: no electrode is connected */
    EIN_EMULATED_FILE = 1,
    EIN_EMULATED_MODELS = 2,
} ein_emulated_t;

/* What was named, and could be opened; nothing on silicon. */
ein_emulated_t ein_emulated_open(void);

/* The last word of the command line, if there are two, else NULL. It lies where samples will. */
#define EIN_EMULATED_MODELS_WORD "models:" /* what it begins with if it names pipes */
char *ein_emulated_word(uint32_t *length);

/* The file's next sample. False: there is none. Opens it, where that was not done. */
bool ein_emulated_sample(int16_t *sample);

/* Over the pipes, whole, and back. False: nobody answers. */
bool ein_emulated_exchange(const void *out, uint32_t out_n, void *in, uint32_t in_n);

/* What follows a reply. */
bool ein_emulated_take(void *in, uint32_t in_n);

/* What a file's samples would take, which is free while there are models. */
#define EIN_EMULATED_ROOM_BYTES 176u
extern union ein_emulated_room {
    char line[160];
    int16_t block[64];
    uint32_t words[EIN_EMULATED_ROOM_BYTES / 4u];
} ein_emulated_room;

#endif
