/* firmware/app/ein_port.h for the ESP32 family, on ESP-IDF as the Arduino core brings it (4.4 or
   5).

   Written after Espressif's API reference and not run yet: see tested in the boards' board.toml.
   Faults are reported over the same UART, and the chip reset, by ESP-IDF's panic handler. */
#include "ein_port.h"

#include "driver/uart.h"
#include "esp32-hal-adc.h"
#include "esp_idf_version.h"
#include "esp_partition.h"
#include "esp_system.h"
#include "esp_task_wdt.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#if ESP_IDF_VERSION_MAJOR >= 5
#include "esp_cpu.h"
#include "esp_mac.h"
#define CYCLES() esp_cpu_get_cycle_count()
#else
#include "hal/cpu_hal.h"
#define CYCLES() cpu_hal_get_cycle_count()
#endif

#include "board.h"
#include "build.h"
#include "ein_pipeline.h"

#define RX_BYTES 2048
#define WATCHDOG_S 5
#define CONVERSIONS 8 /* of a sample: their mean takes noise off */
#define ADC_MID 2048
#define RING_SAMPLES 32u
#define LOOP_STACK_BYTES 8192u /* of Arduino's loop task */

static ein_reset_reason_t reset_reason;
static char serial_number[13];
static bool streams;

typedef struct {
    int16_t value;
    uint16_t dropped; /* samples before this one for which there was no room */
} entry_t;

static entry_t ring[RING_SAMPLES];
static uint32_t ring_head; /* written by the timer's task only */
static uint32_t ring_tail; /* written by the main loop only */

static ein_reset_reason_t read_reset_reason(void)
{
    switch (esp_reset_reason()) {
    case ESP_RST_POWERON:
    case ESP_RST_BROWNOUT:
        return EIN_RESET_POWER;
    case ESP_RST_EXT:
        return EIN_RESET_PIN;
    case ESP_RST_SW:
        return EIN_RESET_SOFTWARE;
    case ESP_RST_PANIC:
        return EIN_RESET_FAULT;
    case ESP_RST_INT_WDT:
    case ESP_RST_TASK_WDT:
    case ESP_RST_WDT:
        return EIN_RESET_WATCHDOG;
    default:
        return EIN_RESET_UNKNOWN;
    }
}

static void start_watchdog(void)
{
#if ESP_IDF_VERSION_MAJOR >= 5
    const esp_task_wdt_config_t config = {.timeout_ms = WATCHDOG_S * 1000, .trigger_panic = true};
    esp_task_wdt_reconfigure(&config);
#else
    esp_task_wdt_init(WATCHDOG_S, true);
#endif
    esp_task_wdt_add(NULL);
}

void ein_port_init(void)
{
    const uart_config_t config = {
        .baud_rate = EIN_BOARD_BAUD,
        .data_bits = UART_DATA_8_BITS,
        .parity = UART_PARITY_DISABLE,
        .stop_bits = UART_STOP_BITS_1,
        .flow_ctrl = UART_HW_FLOWCTRL_DISABLE,
    };
    uint8_t mac[6] = {0};
    reset_reason = read_reset_reason();
    uart_driver_install(UART_NUM_0, RX_BYTES, 0, 0, NULL, 0); /* sets defaults, so it comes first */
    uart_param_config(UART_NUM_0, &config);
    esp_efuse_mac_get_default(mac);
    for (unsigned i = 0; i < 12; i++) {
        serial_number[i] = "0123456789abcdef"[mac[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15];
    }
    start_watchdog();
}

void ein_port_info(ein_port_info_t *info)
{
    *info = (ein_port_info_t){
        .board = EIN_BOARD_NAME,
        .build = EIN_BUILD,
        .serial = serial_number,
        .count_unit = EIN_COUNT_CYCLES,
        .reset_reason = reset_reason,
        .rx_buffer_bytes = RX_BYTES,
        .adc_bits = 12,
        .adc_gain_lsb_per_mv = EIN_BOARD_GAIN_LSB_PER_MV,
        .adc_rail_lo = -ADC_MID,
        .adc_rail_hi = ADC_MID - 1,
        .stack_bytes = LOOP_STACK_BYTES,
        .stack_used_bytes = LOOP_STACK_BYTES - (uint32_t)uxTaskGetStackHighWaterMark(NULL),
        .rx_overruns = 0, /* the driver counts none */
    };
}

size_t ein_port_read(uint8_t *bytes, size_t n)
{
    const int got = uart_read_bytes(UART_NUM_0, bytes, (uint32_t)n, 0);
    return got > 0 ? (size_t)got : 0;
}

/* Without a transmit buffer the driver returns when all is in the UART's FIFO: at most n byte
   times, as there is no flow control. */
size_t ein_port_write(const uint8_t *bytes, size_t n)
{
    const int sent = uart_write_bytes(UART_NUM_0, (const char *)bytes, n);
    return sent > 0 ? (size_t)sent : 0;
}

uint32_t ein_port_count(void)
{
    return (uint32_t)CYCLES();
}

void ein_port_poll(bool idle)
{
    esp_task_wdt_reset();
    if (idle) {
        vTaskDelay(1); /* one tick of FreeRTOS: 1 ms in the Arduino core */
    }
}

static void take_sample(void *unused)
{
    static uint16_t dropped;
    (void)unused;
    int32_t sum = 0;
    bool low = false, high = false;
    for (int i = 0; i < CONVERSIONS; i++) {
        const int32_t value = analogRead(EIN_BOARD_ADC_PIN);
        low = low || value == 0;
        high = high || value == 2 * ADC_MID - 1;
        sum += value;
    }
    const int32_t mean = (sum + CONVERSIONS / 2) / CONVERSIONS - ADC_MID;
    const uint32_t head = ring_head;
    if (head - __atomic_load_n(&ring_tail, __ATOMIC_ACQUIRE) < RING_SAMPLES) {
        /* One saturated conversion spoils the mean, so it makes the sample a rail. */
        const int32_t value = low ? -ADC_MID : high ? ADC_MID - 1 : mean;
        ring[head % RING_SAMPLES] = (entry_t){(int16_t)value, dropped};
        __atomic_store_n(&ring_head, head + 1, __ATOMIC_RELEASE);
        dropped = 0;
    } else if (dropped < UINT16_MAX) {
        dropped++;
    }
}

bool ein_port_adc(int16_t *sample, uint32_t *lost)
{
    if (!streams) {
        const esp_timer_create_args_t args = {.callback = take_sample, .name = "ecg"};
        esp_timer_handle_t timer;
        streams = true;
        if (esp_timer_create(&args, &timer) == ESP_OK) {
            /* Whole microseconds: 180 Hz come out 80 ppm slow, a few times what the crystal is off.
             */
            const uint64_t period_us = (1000000u + EIN_PIPELINE_RATE_HZ / 2) / EIN_PIPELINE_RATE_HZ;
            esp_timer_start_periodic(timer, period_us);
        }
    }
    const uint32_t tail = ring_tail;
    if (__atomic_load_n(&ring_head, __ATOMIC_ACQUIRE) == tail) {
        return false;
    }
    const entry_t entry = ring[tail % RING_SAMPLES];
    __atomic_store_n(&ring_tail, tail + 1, __ATOMIC_RELEASE);
    *sample = entry.value;
    *lost = entry.dropped;
    return true;
}

/* The slot: the first sectors of the partition that Arduino's default tables keep for SPIFFS, which
   is not used here. */
#define SLOT_ERASED_BYTES 8192u /* whole sectors of 4 KB */

static const esp_partition_t *slot(void)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_SPIFFS,
                                    NULL);
}

bool ein_port_slot_read(uint32_t offset, void *bytes, size_t n)
{
    return slot() != NULL && esp_partition_read(slot(), offset, bytes, n) == ESP_OK;
}

bool ein_port_slot_erase(void)
{
    return slot() != NULL && esp_partition_erase_range(slot(), 0, SLOT_ERASED_BYTES) == ESP_OK;
}

bool ein_port_slot_write(uint32_t offset, const void *bytes, size_t n)
{
    return slot() != NULL && esp_partition_write(slot(), offset, bytes, n) == ESP_OK;
}

void ein_port_reset(void)
{
    esp_restart();
}
