/* Until version 4. */
#pragma once
#include <stdint.h>
#if ESP_IDF_VERSION_MAJOR >= 5
#error "there is no hal/cpu_hal.h from version 5 on"
#endif
uint32_t cpu_hal_get_cycle_count(void);
