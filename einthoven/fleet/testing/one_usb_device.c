/*
 * In libusb-1.0's place (LD_PRELOAD) for a program that speaks to one USB device: an STM32 in the
 * boot loader of its ROM. Which one, EIN_USB_BUS, EIN_USB_PORTS ("2.3") and EIN_USB_OPEN (what
 * opening it comes to) say. Its descriptors are here; every control transfer goes to the socket
 * EIN_USB, and so does the answer: type, request, value, index, length and what is sent; then a
 * result and what is received.
 *
 * The layouts are those of libusb's public header (1.0.26).
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NO_DEVICE (-4)

typedef struct {
    uint8_t length, kind;
    uint16_t usb;
    uint8_t class_, subclass, protocol, packet;
    uint16_t vendor, product, device;
    uint8_t manufacturer_text, product_text, serial_text, configurations;
} device_t;

typedef struct {
    uint8_t length, kind, number, alternate, endpoints, class_, subclass, protocol, text;
    const void *endpoint;
    const uint8_t *extra;
    int extra_length;
} setting_t;

typedef struct {
    const setting_t *settings;
    int n;
} interface_t;

typedef struct {
    uint8_t length, kind;
    uint16_t total;
    uint8_t interfaces, value, text, attributes, power;
    const interface_t *interface;
    const uint8_t *extra;
    int extra_length;
} config_t;

typedef struct {
    uint16_t major, minor, micro, nano;
    const char *rc, *describe;
} version_t;

/* DFU 1.1a as ST has it: it can write and read, is told to leave, takes 2,048 bytes at a time. */
static const uint8_t functional[] = {9, 0x21, 0x0B, 0xFF, 0x00, 0x00, 0x08, 0x1A, 0x01};
static const setting_t setting = {9, 4, 0, 0,    0,          0xFE,
                                  1, 2, 4, NULL, functional, sizeof functional};
static const interface_t interface = {&setting, 1};
static config_t config = {9, 2, 27, 1, 1, 0, 0xC0, 50, &interface, NULL, 0};
static const version_t version = {1, 0, 26, 11724, "", "one device"};
static int device;
static int line = -1;

int libusb_init(void **context);
void libusb_exit(void *context);
int libusb_set_option(void *context, int option, ...);
const version_t *libusb_get_version(void);
long libusb_get_device_list(void *context, int ***list);
void libusb_free_device_list(int **list, int unreference);
int *libusb_ref_device(int *one);
void libusb_unref_device(int *one);
int libusb_get_device_descriptor(int *one, device_t *found);
int libusb_get_config_descriptor(int *one, uint8_t index, config_t **found);
void libusb_free_config_descriptor(config_t *one);
uint8_t libusb_get_bus_number(int *one);
uint8_t libusb_get_device_address(int *one);
int libusb_get_port_numbers(int *one, uint8_t *ports, int n);
int libusb_open(int *one, int **handle);
void libusb_close(int *handle);
int libusb_claim_interface(int *handle, int number);
int libusb_release_interface(int *handle, int number);
int libusb_set_interface_alt_setting(int *handle, int number, int alternate);
int libusb_reset_device(int *handle);
int libusb_control_transfer(int *handle, uint8_t type, uint8_t request, uint16_t value,
                            uint16_t index, uint8_t *data, uint16_t length, unsigned timeout);

int libusb_init(void **context)
{
    *context = &device;
    return 0;
}

void libusb_exit(void *context)
{
    (void)context;
}

int libusb_set_option(void *context, int option, ...)
{
    (void)context;
    (void)option;
    return 0;
}

const version_t *libusb_get_version(void)
{
    return &version;
}

long libusb_get_device_list(void *context, int ***list)
{
    static int *devices[] = {&device, NULL};
    (void)context;
    *list = devices;
    return 1;
}

void libusb_free_device_list(int **list, int unreference)
{
    (void)list;
    (void)unreference;
}

int *libusb_ref_device(int *one)
{
    return one;
}

void libusb_unref_device(int *one)
{
    (void)one;
}

int libusb_get_device_descriptor(int *one, device_t *found)
{
    (void)one;
    *found = (device_t){18, 1, 0x100, 0, 0, 0, 64, 0x0483, 0xDF11, 0x2200, 1, 2, 3, 1};
    return 0;
}

int libusb_get_config_descriptor(int *one, uint8_t index, config_t **found)
{
    (void)one;
    (void)index;
    *found = &config;
    return 0;
}

void libusb_free_config_descriptor(config_t *one)
{
    (void)one;
}

uint8_t libusb_get_bus_number(int *one)
{
    (void)one;
    return (uint8_t)atoi(getenv("EIN_USB_BUS"));
}

uint8_t libusb_get_device_address(int *one)
{
    (void)one;
    return 7;
}

int libusb_get_port_numbers(int *one, uint8_t *ports, int n)
{
    char text[64];
    int found = 0;
    (void)one;
    snprintf(text, sizeof text, "%s", getenv("EIN_USB_PORTS"));
    for (char *word = strtok(text, "."); word != NULL && found < n; word = strtok(NULL, ".")) {
        ports[found++] = (uint8_t)atoi(word);
    }
    return found;
}

int libusb_open(int *one, int **handle)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const int refused = atoi(getenv("EIN_USB_OPEN"));
    if (refused != 0) {
        return refused;
    }
    if (line < 0) {
        snprintf(at.sun_path, sizeof at.sun_path, "%s", getenv("EIN_USB"));
        line = socket(AF_UNIX, SOCK_STREAM, 0);
        if (connect(line, (struct sockaddr *)&at, sizeof at) != 0) {
            return NO_DEVICE;
        }
    }
    *handle = one;
    return 0;
}

void libusb_close(int *handle)
{
    (void)handle;
}

int libusb_claim_interface(int *handle, int number)
{
    (void)handle;
    (void)number;
    return 0;
}

int libusb_release_interface(int *handle, int number)
{
    (void)handle;
    (void)number;
    return 0;
}

int libusb_set_interface_alt_setting(int *handle, int number, int alternate)
{
    (void)handle;
    (void)number;
    (void)alternate;
    return 0;
}

int libusb_reset_device(int *handle)
{
    (void)handle;
    return 0;
}

static int all(ssize_t (*move)(int, void *, size_t), void *data, size_t n)
{
    uint8_t *at = data;
    while (n > 0) {
        const ssize_t done = move(line, at, n);
        if (done <= 0) {
            return NO_DEVICE;
        }
        at += done;
        n -= (size_t)done;
    }
    return 0;
}

static ssize_t put(int to, void *data, size_t n)
{
    return write(to, data, n);
}

static ssize_t get(int from, void *data, size_t n)
{
    return read(from, data, n);
}

int libusb_control_transfer(int *handle, uint8_t type, uint8_t request, uint16_t value,
                            uint16_t index, uint8_t *data, uint16_t length, unsigned timeout)
{
    const int in = type & 0x80;
    uint8_t head[8] = {type, request};
    int32_t result;
    (void)handle;
    (void)timeout;
    memcpy(head + 2, &value, 2);
    memcpy(head + 4, &index, 2);
    memcpy(head + 6, &length, 2);
    if (all(put, head, sizeof head) != 0 || (!in && all(put, data, length) != 0) ||
        all(get, &result, sizeof result) != 0) {
        return NO_DEVICE;
    }
    if (in && result > 0 && all(get, data, (size_t)result) != 0) {
        return NO_DEVICE;
    }
    return result;
}
