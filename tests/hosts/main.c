/* SPDX-License-Identifier: MIT */
/* Arguments, the order of things, and the exit status: 0 only if everything that was asked for
 * worked. */
#include "host.h"

#include <objbase.h>

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CALLBACK_MS = 30000, SILENCE_MS = 30000, TICK_MS = 10 };

static const char usage[] =
    "usage: tutti-host [options]\n"
    "  --list                  print the registered drivers and end\n"
    "  --driver NAME           registry name (default: Tutti)\n"
    "  --name LABEL            of this run in the report\n"
    "  --buffer FRAMES         (default: the preferred size)\n"
    "  --rate HZ               (default: as it is)\n"
    "  --play FILE.wav         16-bit or float32; sample p of the file at position p, looped\n"
    "  --play-channels 0,1     output channels (default: as many as the file has)\n"
    "  --record FILE.f32       raw interleaved float32\n"
    "  --record-channels 0,1   input channels (default: all)\n"
    "  --ping CHANNEL          measure the round trip from this output to this input\n"
    "  --seconds S, --frames N how long (default: 5 s, or until --stop-file)\n"
    "  --output-ready          call outputReady in each callback\n"
    "  --load PERCENT          burn this share of the buffer's time in each callback\n"
    "  --on-reset ignore|restart  what a reset request does (default: restart)\n"
    "  --blocks FILE.bin       a 56-byte record per callback\n"
    "  --json FILE             the final report\n"
    "  --progress              a line at the begin and one per second\n"
    "  --ready-file FILE       made once callbacks come\n"
    "  --stop-file FILE        end when it is there\n"
    "  --end-first-thread      it ends once callbacks come; the program plays till it is killed\n";

/* ---- errors ---- */

struct errors errors;

void
errors_init(void)
{
    InitializeCriticalSection(&errors.lock);
}

void
fail(const char *format, ...)
{
    char text[HOST_ERROR_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    fprintf(stderr, "tutti-host: %s\n", text);
    EnterCriticalSection(&errors.lock);
    if (errors.count < HOST_ERRORS) {
        memcpy(errors.text[errors.count], text, sizeof(text));
    }
    errors.count++;
    LeaveCriticalSection(&errors.lock);
}

/* ---- arguments ---- */

static bool
parse_number(const char *text, double least, double most, double *value)
{
    char *end;

    *value = strtod(text, &end);
    return end != text && *end == '\0' && *value >= least && *value <= most;
}

static bool
parse_channels(const char *text, int32_t *list, unsigned *count)
{
    *count = 0;
    for (;;) {
        char *end;
        long number = strtol(text, &end, 10);
        if (end == text || number < 0 || number > 255 || *count == HOST_CHANNELS) {
            return false;
        }
        list[(*count)++] = (int32_t)number;
        if (*end == '\0') {
            return true;
        }
        if (*end != ',') {
            return false;
        }
        text = end + 1;
    }
}

/* Options without a value. */
static bool
take_switch(struct options *options, const char *name)
{
    if (!strcmp(name, "--list")) {
        options->list = true;
    } else if (!strcmp(name, "--output-ready")) {
        options->output_ready = true;
    } else if (!strcmp(name, "--progress")) {
        options->progress = true;
    } else if (!strcmp(name, "--end-first-thread")) {
        options->end_first_thread = true;
    } else {
        return false;
    }
    return true;
}

static bool
take_text(struct options *options, const char *name, const char *value)
{
    const struct {
        const char *name, **place;
    } texts[] = {
        {"--driver", &options->driver},
        {"--name", &options->name},
        {"--play", &options->play},
        {"--record", &options->record},
        {"--blocks", &options->blocks},
        {"--json", &options->json},
        {"--ready-file", &options->ready_file},
        {"--stop-file", &options->stop_file},
    };

    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (!strcmp(name, texts[i].name)) {
            *texts[i].place = value;
            return true;
        }
    }
    return false;
}

/* Options with a value that is checked; false: unknown or wrong. */
static bool
take_value(struct options *options, const char *name, const char *value)
{
    double number = 0;

    if (!strcmp(name, "--play-channels")) {
        return parse_channels(value, options->play_channels, &options->play_channel_count);
    }
    if (!strcmp(name, "--record-channels")) {
        return parse_channels(value, options->record_channels, &options->record_channel_count);
    }
    if (!strcmp(name, "--on-reset")) {
        options->restart_on_reset = !strcmp(value, "restart");
        return options->restart_on_reset || !strcmp(value, "ignore");
    }
    if (!parse_number(value, 0, 1e15, &number)) {
        return false;
    }
    if (!strcmp(name, "--buffer") && number >= 1 && number <= 65536) {
        options->buffer = (int32_t)number;
    } else if (!strcmp(name, "--rate")) {
        options->rate_hz = number;
    } else if (!strcmp(name, "--ping") && number <= 255) {
        options->ping = (int32_t)number;
    } else if (!strcmp(name, "--seconds")) {
        options->seconds = number;
    } else if (!strcmp(name, "--frames")) {
        options->frames = (uint64_t)number;
    } else if (!strcmp(name, "--load") && number <= 1000) {
        options->load_percent = number;
    } else {
        return false;
    }
    return true;
}

static bool
parse(struct options *options, int argc, char **argv)
{
    *options =
        (struct options){.driver = "Tutti", .name = "host", .ping = -1, .restart_on_reset = true};
    for (int i = 1; i < argc; i++) {
        if (take_switch(options, argv[i])) {
            continue;
        }
        if (i + 1 == argc) {
            return false;
        }
        if (!take_text(options, argv[i], argv[i + 1]) &&
            !take_value(options, argv[i], argv[i + 1])) {
            return false;
        }
        i++;
    }
    if (options->seconds <= 0 && !options->frames && !options->stop_file) {
        options->seconds = 5;
    }
    return true;
}

/* ---- running ---- */

/* A workstation's main thread pumps messages. */
static void
pump(void)
{
    MSG message;

    MsgWaitForMultipleObjects(0, NULL, FALSE, TICK_MS, QS_ALLINPUT);
    while (PeekMessageW(&message, NULL, 0, 0, PM_REMOVE)) {
        TranslateMessage(&message);
        DispatchMessageW(&message);
    }
}

static bool
await_first_callback(uint64_t before)
{
    uint64_t deadline = audio_now_ns() + (uint64_t)FIRST_CALLBACK_MS * 1000000;

    while (atomic_load(&audio.callbacks) == before) {
        if (audio_now_ns() > deadline) {
            fail("no callback within %d ms", FIRST_CALLBACK_MS);
            return false;
        }
        pump();
    }
    return true;
}

static bool
is_over(const struct options *options, uint64_t begun_ns)
{
    uint64_t now = audio_now_ns();

    if (options->frames && atomic_load(&audio.done_frames) >= options->frames) {
        return true;
    }
    if (options->seconds > 0 && (double)(now - begun_ns) >= options->seconds * 1e9) {
        return true;
    }
    if (options->stop_file && GetFileAttributesA(options->stop_file) != INVALID_FILE_ATTRIBUTES) {
        return true;
    }
    if (now > atomic_load(&audio.begun_ns) + (uint64_t)SILENCE_MS * 1000000) {
        fail("no callback for %d ms", SILENCE_MS);
        return true;
    }
    return false;
}

static void
touch(const char *path)
{
    FILE *file = fopen(path, "w");

    if (file) {
        fclose(file);
    } else {
        fail("%s cannot be written", path);
    }
}

static void
run(struct device *device, const struct options *options)
{
    uint32_t latency_changes = 0;

    if (!device_start(device) || !await_first_callback(0)) {
        return;
    }
    uint64_t begun_ns = audio_now_ns(), told_ns = begun_ns;
    if (options->ready_file) {
        touch(options->ready_file);
    }
    if (options->end_first_thread) {
        ExitThread(0);
    }
    while (!is_over(options, begun_ns)) {
        pump();
        if (atomic_exchange(&audio.reset_wanted, false) && options->restart_on_reset) {
            uint64_t before = atomic_load(&audio.callbacks);
            if (!device_restart(device, options) || !await_first_callback(before)) {
                return;
            }
        }
        if (atomic_load(&audio.latency_changes) != latency_changes) {
            latency_changes = atomic_load(&audio.latency_changes);
            device_read_latencies(device);
        }
        if (options->progress && audio_now_ns() - told_ns >= 1000000000u) {
            told_ns += 1000000000u;
            printf("callbacks=%llu position=%llu", (unsigned long long)audio.callbacks,
                   (unsigned long long)audio.position);
            if (audio.ping.found && audio.ping.found <= PING_KEPT) {
                printf(" round_trip=%llu,%llu,%u",
                       (unsigned long long)audio.ping.kept[audio.ping.found - 1].generation,
                       (unsigned long long)audio.ping.kept[audio.ping.found - 1].device_frames,
                       (unsigned)audio.ping.kept[audio.ping.found - 1].frames);
            }
            printf("\n");
            fflush(stdout);
        }
    }
}

static void
judge(const struct options *options)
{
    if (atomic_load(&audio.lost_records)) {
        fail("%u blocks were not recorded: the disk did not follow", (unsigned)audio.lost_records);
    }
    if (atomic_load(&audio.backwards)) {
        fail("the position went backward %u times", (unsigned)audio.backwards);
    }
    if (atomic_load(&audio.bad_index)) {
        fail("halves did not alternate %u times", (unsigned)audio.bad_index);
    }
    if (options->ping >= 0 && !audio.ping.found) {
        fail("no ping came back on channel %d", (int)options->ping);
    }
}

/* What wine_bridge.py finds again once the driver has been there. */
static void
name_first_thread(void)
{
    typedef HRESULT(WINAPI * describe_fn)(HANDLE, const wchar_t *);
    FARPROC found = GetProcAddress(GetModuleHandleW(L"kernel32.dll"), "SetThreadDescription");
    describe_fn describe;
    memcpy(&describe, &found, sizeof(describe));
    if (found) {
        describe(GetCurrentThread(), L"the host's own");
    }
}

int
main(int argc, char **argv)
{
    static struct device device; /* static: they outlive this thread with --end-first-thread */
    static struct options options;
    LARGE_INTEGER frequency;

    errors_init();
    if (!parse(&options, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    if (options.list) {
        device_list();
        return 0;
    }
    if (options.progress) { /* a program that Wine did not start says nothing */
        printf("begun\n");
        fflush(stdout);
    }
    name_first_thread();
    QueryPerformanceFrequency(&frequency);
    audio.qpc_hz = (uint64_t)frequency.QuadPart;
    audio.options = &options;
    audio.ping_input = audio.ping_output = -1;
    CoInitializeEx(NULL, COINIT_APARTMENTTHREADED);
    if (options.ping >= 0) {
        ping_init(&audio.ping, options.ping);
    }
    bool ready = (!options.play || wave_read(&audio.wave, options.play)) &&
                 device_open(&device, &options) && writer_open();
    if (ready) {
        run(&device, &options);
    }
    device_close(&device);
    writer_close();
    if (options.ping >= 0) {
        ping_end(&audio.ping);
    }
    if (ready) {
        judge(&options);
    }
    if (options.json) {
        report_write(&options, &device);
    }
    CoUninitialize();
    return errors.count ? 1 : 0;
}
