/* libFuzzer target: the whole application on a port in memory. The input is cut into messages whose
   frames are then made right, so that hostile contents get past the CRC; some go in as plain bytes.
   What the board sends must be good frames and nothing else. */
#include <stdlib.h>
#include <string.h>

#include "ein_app.h"
#include "ein_frame.h"
#include "ein_port.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
    uint8_t rx[EIN_FRAME_MAX];
    size_t rx_size, rx_at;
    ein_frame_decoder_t sent;
    uint32_t count;
    int16_t adc;
    uint32_t adc_left;
} port;

/* Outlives the boots of an input, and is empty at its start. */
static uint8_t slot[EIN_SLOT_BYTES];

void ein_port_init(void)
{
}

void ein_port_info(ein_port_info_t *info)
{
    *info = (ein_port_info_t){
        .board = "fuzz",
        .build = "",
        .serial = "a serial number of more than 24 characters",
        .rx_buffer_bytes = 1024,
        .adc_bits = 12,
        .adc_gain_lsb_per_mv = 200,
        .adc_rail_lo = -2048,
        .adc_rail_hi = 2047,
    };
}

size_t ein_port_read(uint8_t *bytes, size_t n)
{
    size_t left = port.rx_size - port.rx_at;
    size_t taken = n < left ? n : left;
    memcpy(bytes, port.rx + port.rx_at, taken);
    port.rx_at += taken;
    return taken;
}

size_t ein_port_write(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ein_frame_t frame;
        ein_frame_decoder_push(&port.sent, bytes[i], &frame);
    }
    return n;
}

uint32_t ein_port_count(void)
{
    port.count += 1000003u;
    return port.count;
}

void ein_port_poll(bool idle)
{
    (void)idle;
}

bool ein_port_adc(int16_t *sample, uint32_t *lost)
{
    *lost = port.adc_left == 7 ? 500 : 0;
    *sample = port.adc;
    port.adc = (int16_t)(port.adc * 5 + 77);
    return port.adc_left-- > 0;
}

bool ein_port_slot_read(uint32_t offset, void *bytes, size_t n)
{
    if (offset % 4 != 0 || n % 4 != 0 || offset + n > sizeof(slot)) {
        abort();
    }
    memcpy(bytes, slot + offset, n);
    return true;
}

bool ein_port_slot_erase(void)
{
    memset(slot, 0xFF, sizeof(slot));
    return true;
}

bool ein_port_slot_write(uint32_t offset, const void *bytes, size_t n)
{
    if (offset % 4 != 0 || n % 4 != 0 || offset + n > sizeof(slot)) {
        abort();
    }
    for (size_t i = 0; i < n; i++) { /* as flash: bits go from one to zero only */
        slot[offset + i] &= ((const uint8_t *)bytes)[i];
    }
    return true;
}

static void boot(void)
{
    ein_app_init();
    ein_frame_decoder_init(&port.sent); /* forgets the banner, which is text */
}

void ein_port_reset(void)
{
    boot();
}

/* First byte: type (0: plain bytes). Second: size. Then the contents. */
static size_t next_message(const uint8_t *data, size_t size)
{
    size_t content = size - 2 < data[1] ? size - 2 : data[1];
    if (content > EIN_WIRE_MAX_PAYLOAD) {
        content = EIN_WIRE_MAX_PAYLOAD;
    }
    port.rx_at = 0;
    if (data[0] == 0) {
        memcpy(port.rx, data + 2, content);
        port.rx_size = content;
    } else {
        memcpy(port.rx + EIN_FRAME_PAYLOAD_AT, data + 2, content);
        port.rx_size = ein_frame_encode(port.rx, data[0] & 0x0Fu, 1, content);
    }
    return 2 + content;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    memset(&port, 0, sizeof(port));
    memset(slot, 0, sizeof(slot));
    boot();
    while (size >= 2) {
        size_t used = next_message(data, size);
        data += used;
        size -= used;
        port.adc_left = 100;
        for (int step = 0; port.rx_at < port.rx_size && step < 8; step++) {
            ein_app_step();
        }
        if (port.rx_at != port.rx_size || port.sent.rejected_frames != 0) {
            abort();
        }
    }
    return 0;
}
