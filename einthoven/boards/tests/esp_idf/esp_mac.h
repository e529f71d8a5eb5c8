/* Since version 5. */
#pragma once
#include <stdint.h>

#include "esp_err.h"
#if ESP_IDF_VERSION_MAJOR < 5
#error "there is no esp_mac.h before version 5"
#endif
esp_err_t esp_efuse_mac_get_default(uint8_t *mac);
