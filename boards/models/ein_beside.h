/* What an emulated chip and the models beside it say to each other: a request, a reply, again.
 *
 * The chip has a front end's drivers, this machine has boards/models; between them two pipes, which
 * the chip reaches by semihosting. Time is the chip's: each request carries its clock, and the
 * model runs until then. A transfer over SPI takes no time of the chip's (the model counts 8 us a
 * byte all the same). Little-endian, fixed sizes.
 *
 * A question costs two changes of process, which is what an emulated day is made of. So conversions
 * come ahead of time, up to EIN_BESIDE_BLOCKS blocks at once, each with the time at which it is due
 * and not before: nothing that the chip says changes them, but for stopping them. They are not in
 * the model's DMA ring any more, which is longer by so much (0.13 s).
 */
#ifndef EIN_BESIDE_H
#define EIN_BESIDE_H

#include <stdint.h>

#define EIN_BESIDE_BYTES 32u
#define EIN_BESIDE_BLOCK 8u  /* conversions that DMA hands on at once */
#define EIN_BESIDE_BLOCKS 8u /* of them in a reply */

typedef enum {
    EIN_BESIDE_RUN = 0,    /* nothing but the time; conversions, where they are wanted */
    EIN_BESIDE_SPI = 1,    /* n bytes, in mode `argument` */
    EIN_BESIDE_SET = 2,    /* pin `argument` to bytes[0] */
    EIN_BESIDE_LISTEN = 3, /* edges are wanted */
    EIN_BESIDE_ADC = 4,    /* conversions are wanted */
    EIN_BESIDE_STOP = 5,   /* neither is */
} ein_beside_operation_t;

typedef struct {
    uint8_t operation, argument, n, zero;
    uint32_t us;
    uint8_t bytes[EIN_BESIDE_BYTES];
} ein_beside_request_t;

#define EIN_BESIDE_GOOD 1u /* the transfer has come to its end */
#define EIN_BESIDE_EDGE 2u /* the data-ready line has fallen */

typedef struct {
    uint8_t flags;
    uint8_t blocks;    /* so many of EIN_BESIDE_BLOCK values (uint16_t) follow the reply */
    uint16_t lost;     /* conversions, before the first of them */
    uint32_t next_us;  /* earliest that anything else happens, from the request on; 0: never */
    uint16_t leads[2]; /* LO+, LO-: bit n while block n was converted */
    union {
        uint8_t bytes[EIN_BESIDE_BYTES]; /* of a transfer */
        uint32_t us[EIN_BESIDE_BLOCKS];  /* when each block's last conversion was */
    };
} ein_beside_reply_t;

#endif
