/* Since version 5. */
#pragma once
#include <stdint.h>
#if ESP_IDF_VERSION_MAJOR < 5
#error "there is no esp_cpu_get_cycle_count() before version 5"
#endif
typedef uint32_t esp_cpu_cycle_count_t;
esp_cpu_cycle_count_t esp_cpu_get_cycle_count(void);
