#pragma once
#ifndef ESP_IDF_VERSION_MAJOR
#error "say -D ESP_IDF_VERSION_MAJOR=4 or 5"
#endif
