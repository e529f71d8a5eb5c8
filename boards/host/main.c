/* The application as a process: over stdin and stdout, a pseudo-terminal, or a TCP connection.
 *
 * usage() says how. --fd is how einthoven.boards.board starts it: it binds the socket and hands it
 * on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "ein_app.h"
#include "host.h"

static void open_listener(const char *port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t size = sizeof(address);
    int on = 1;
    ein_host.listener = socket(AF_INET, SOCK_STREAM, 0);
    if (ein_host.listener < 0 ||
        setsockopt(ein_host.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(ein_host.listener, (struct sockaddr *)&address, size) != 0 ||
        listen(ein_host.listener, 1) != 0 ||
        getsockname(ein_host.listener, (struct sockaddr *)&address, &size) != 0) {
        ein_host_die("cannot listen");
    }
    printf("socket://127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
}

static void open_pty(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
        ein_host_die("no pseudo-terminal");
    }
    /* The other end is held open here, so that the peer can come and go; raw, so that every byte
       passes as it is. */
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    struct termios mode;
    if (slave < 0 || tcgetattr(slave, &mode) != 0) {
        ein_host_die("no pseudo-terminal");
    }
    cfmakeraw(&mode);
    tcsetattr(slave, TCSANOW, &mode);
    printf("%s\n", ptsname(master));
    fflush(stdout);
    ein_host_use(master);
}

static void open_adc(const char *path)
{
    ein_host.adc = fopen(path, "rb");
    if (ein_host.adc == NULL) {
        ein_host_die(path);
    }
    const int flags = fcntl(fileno(ein_host.adc), F_GETFL); /* an empty FIFO stops nothing */
    if (flags < 0 || fcntl(fileno(ein_host.adc), F_SETFL, flags | O_NONBLOCK) != 0) {
        ein_host_die(path);
    }
    ein_host.adc_paced = fseek(ein_host.adc, 0, SEEK_SET) == 0;
}

/* Without a file: memory, which a reset keeps as it keeps every descriptor. */
static int open_kept(const char *path)
{
    int fd = path == NULL ? memfd_create("kept", 0) : open(path, O_RDWR | O_CREAT, (mode_t)0600);
    if (fd < 0) {
        ein_host_die(path == NULL ? "no memory for what is kept" : path);
    }
    return fd;
}

static void usage(void)
{
    fprintf(
        stderr,
        "usage: einthoven-host [--fd N | --listen PORT | --pty] [--adc FILE] [--slot FILE]\n"
        "  without option  talks over stdin and stdout, and ends with its peer\n"
        "  --fd N          N is an inherited TCP socket that listens\n"
        "  --listen PORT   listens on 127.0.0.1 and prints the URL; PORT 0 takes a free one\n"
        "  --pty           prints the name of a pseudo-terminal\n"
        "  --adc FILE      stream mode takes int16 samples, little-endian, at the core's rate,\n"
        "                  over and over; from a FIFO at the writer's pace\n"
        "  --adc-speed N   times real time, 1 to 100: the file's samples are due so much sooner\n"
        "  --adc-ppm N     its clock is too fast by N ppm\n"
        "  --serial TEXT   what it says its serial number is; else it has none\n"
        "  --slot FILE     keeps a patient's head there, instead of until the process ends\n"
        "  --keys FILE     keeps the device's key there, likewise\n"
        "  --slots FILE    stands for its two slots of firmware; else it has none\n"
        "  --fast          time passes when the program sleeps, at once: for long recordings\n"
        "  --front-end P   of a device: samples through the driver of P (ad8232, ads1292r, "
        "max30003)\n"
        "                  and the model of its part, which sees what --adc FILE holds\n"
        "  --faults FILE   of that part: lines 'MS NAME [MS]' (boards/host_device/front_end.c)\n"
        "  --script FILE   of a device: lines 'MS WHAT VALUE': press, battery, stall, end\n"
        "  --battery MV    of a device: its cell's voltage, until the script says another\n"
        "  --panel FILE    of a device: appends a line 'MS LED HZ' when light or tone change\n"
        "  --log FILE      keeps the device's log there, likewise\n"
        "  --end-after N   for tests: ends when so many bytes have arrived\n"
        "  --log-cut N     for tests: ends when N bytes of the log were erased or written\n"
        "  --power-cut N   for tests: ends when N bytes of the slot were erased or written\n");
    exit(2);
}

/* True after ein_port_reset(): listener, connection and slot are still open and are taken over. */
static bool take_over(void)
{
    const char *text = getenv(EIN_HOST_RESET);
    int reason;
    if (text == NULL ||
        sscanf(text, "%d %d %d %d %d %d %d %d", &ein_host.listener, &ein_host.in, &ein_host.out,
               &ein_host.slot, &ein_host.keys, &ein_host.slots, &ein_host.log, &reason) != 8) {
        return false;
    }
    unsetenv(EIN_HOST_RESET);
    ein_host.reset_reason = (ein_reset_reason_t)reason;
    return true;
}

int main(int argc, char **argv)
{
    ein_host.argv = argv;
    bool open = take_over();
    for (int i = 1; i < argc; i++) {
        const char *option = argv[i];
        if (strcmp(option, "--pty") == 0) {
            if (!open) {
                open_pty();
            }
            open = true;
            continue;
        }
        if (strcmp(option, "--fast") == 0) {
            ein_host.fast = true;
            continue;
        }
        if (i + 1 == argc) {
            fprintf(stderr, "error: %s is no option, or lacks its value\n", option);
            usage();
        }
        const char *value = argv[++i];
        if (strcmp(option, "--adc") == 0) {
            open_adc(value);
            continue;
        }
        if (strcmp(option, "--adc-speed") == 0) {
            const unsigned long speed = strtoul(value, NULL, 10);
            if (speed < 1 || speed > 100) {
                usage();
            }
            ein_host.adc_speed = (uint32_t)speed;
            continue;
        }
        if (strcmp(option, "--serial") == 0) {
            ein_host.serial = value;
            continue;
        }
        if (strcmp(option, "--slot") == 0) {
            if (ein_host.slot < 0) {
                ein_host.slot = open_kept(value);
            }
            continue;
        }
        if (strcmp(option, "--slots") == 0) {
            if (ein_host.slots < 0) {
                ein_host.slots = open_kept(value);
            }
            continue;
        }
        if (strcmp(option, "--keys") == 0) {
            if (ein_host.keys < 0) {
                ein_host.keys = open_kept(value);
            }
            continue;
        }
        if (strcmp(option, "--adc-ppm") == 0) {
            ein_host.adc_ppm = strtol(value, NULL, 10);
            continue;
        }
        if (strcmp(option, "--front-end") == 0) {
            ein_host.front_end = value;
            continue;
        }
        if (strcmp(option, "--faults") == 0) {
            ein_host.faults = value;
            continue;
        }
        if (strcmp(option, "--script") == 0) {
            ein_host.script = value;
            continue;
        }
        if (strcmp(option, "--battery") == 0) {
            ein_host.battery_mv = (uint16_t)strtoul(value, NULL, 10);
            continue;
        }
        if (strcmp(option, "--panel") == 0) {
            ein_host.panel = value;
            continue;
        }
        if (strcmp(option, "--log") == 0) {
            if (ein_host.log < 0) {
                ein_host.log = open_kept(value);
            }
            continue;
        }
        if (strcmp(option, "--end-after") == 0) {
            ein_host.end_after = strtol(value, NULL, 10);
            continue;
        }
        if (strcmp(option, "--log-cut") == 0) {
            ein_host.log_cut = strtol(value, NULL, 10);
            continue;
        }
        if (strcmp(option, "--power-cut") == 0) {
            ein_host.power_cut = strtol(value, NULL, 10);
            continue;
        }
        if (strcmp(option, "--fd") == 0) {
            if (!open) {
                ein_host.listener = (int)strtol(value, NULL, 10);
            }
        } else if (strcmp(option, "--listen") == 0) {
            if (!open) {
                open_listener(value);
            }
        } else {
            fprintf(stderr, "error: no option %s\n", option);
            usage();
        }
        open = true;
    }
    if (!open) {
        ein_host.in = STDIN_FILENO;
        ein_host.out = STDOUT_FILENO;
    }
    if (ein_host.slot < 0) {
        ein_host.slot = open_kept(NULL);
    }
    if (ein_host.keys < 0) {
        ein_host.keys = open_kept(NULL);
    }
    if (ein_host.log < 0) {
        ein_host.log = open_kept(NULL);
    }
    ein_app_init();
    for (;;) {
        ein_app_step();
    }
}
