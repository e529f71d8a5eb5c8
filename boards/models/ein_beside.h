/* What an emulated chip and the models beside it say to each other: a request, a reply, again.
 *
 * The chip has a front end's drivers, this machine has boards/models; between them two pipes, which
 * the chip reaches by semihosting. Time is the chip's: each request carries its clock, and the
 * model runs until then. A transfer over SPI takes no time of the chip's (the model counts 8 us a
 * byte all the same). Little-endian, fixed sizes.
 */
#ifndef EIN_BESIDE_H
#define EIN_BESIDE_H

#include <stdint.h>

#define EIN_BESIDE_BYTES 32u

typedef enum {
    EIN_BESIDE_RUN = 0,    /* nothing but the time; with `argument` 1 conversions are taken */
    EIN_BESIDE_SPI = 1,    /* n bytes, in mode `argument` */
    EIN_BESIDE_SET = 2,    /* pin `argument` to bytes[0] */
    EIN_BESIDE_GET = 3,    /* pin `argument`, to bytes[0] of the reply */
    EIN_BESIDE_LISTEN = 4, /* edges are wanted */
    EIN_BESIDE_ADC = 5,    /* conversions are wanted */
    EIN_BESIDE_STOP = 6,   /* neither is */
} ein_beside_operation_t;

typedef struct {
    uint8_t operation, argument, n, zero;
    uint32_t us;
    uint8_t bytes[EIN_BESIDE_BYTES];
} ein_beside_request_t;

#define EIN_BESIDE_GOOD 1u /* the transfer has come to its end */
#define EIN_BESIDE_EDGE 2u /* the data-ready line has fallen */
#define EIN_BESIDE_MORE 4u /* conversions wait: ask again */

typedef struct {
    uint8_t flags;
    uint8_t conversions; /* in `values`, the last one at `us` */
    uint16_t lost;       /* and so many before them */
    uint32_t next_us;    /* earliest that anything happens, from the request on; 0: never */
    uint32_t us;
    uint8_t bytes[EIN_BESIDE_BYTES];
    uint16_t values[8];
} ein_beside_reply_t;

#endif
