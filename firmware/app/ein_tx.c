#include "ein_tx.h"

#include <string.h>

#include "ein_port.h"

static const uint8_t delimiter = 0;

void ein_tx_send(ein_tx_t *tx, uint8_t type, uint8_t sequence, size_t payload_size)
{
    size_t size = ein_frame_encode(tx->frame, type, sequence, payload_size);
    if (tx->cut && ein_port_write(&delimiter, 1) == 1) {
        tx->cut = false;
    }
    if (tx->cut || ein_port_write(tx->frame, size) != size) {
        tx->cut = true;
        tx->dropped_frames++;
    }
}

void ein_tx_print(const char *const *texts)
{
    ein_port_write(&delimiter, 1);
    for (; *texts != NULL; texts++) {
        ein_port_write((const uint8_t *)*texts, strlen(*texts));
    }
    ein_port_write(&delimiter, 1);
}
