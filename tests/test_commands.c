/* SPDX-License-Identifier: MIT */
/*
 * The tutti command as people run it: the real command, the real engine, the virtual sound card
 * with a cable, each in a process of its own. Arguments: the paths of tutti and tuttid.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sndfile.h>

enum { OUTPUT_BYTES = 16384, LOOKS = 200, RATE = 48000, SONG_FRAMES = 12000 };

static char folder[] = "/tmp/tutti-commands-XXXXXX";
static char song[sizeof(folder) + 16], take[sizeof(folder) + 16],
    configuration[sizeof(folder) + 16];
static const char *tutti;
static char output[OUTPUT_BYTES]; /* of the last run(): both streams */

/* ---- processes ---- */

/* Starts tutti with arguments that end with NULL; what it prints comes out of *from. */
static pid_t
begin(const char *const *arguments, int *from)
{
    const char *argv[16] = {tutti};
    int ends[2];

    for (unsigned i = 0; arguments[i]; i++) {
        assert_true(i + 2 < sizeof(argv) / sizeof(*argv));
        argv[i + 1] = arguments[i];
    }
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        execv(tutti, (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(ends[1]);
    *from = ends[0];
    return pid;
}

/* Reads to the end, waits for the process; its exit code. */
static int
finish(pid_t pid, int from)
{
    size_t length = 0;
    ssize_t got = 0;
    int status = 0;

    while (length + 1 < sizeof(output) &&
           (got = read(from, output + length, sizeof(output) - 1 - length)) > 0) {
        length += (size_t)got;
    }
    output[length] = '\0';
    close(from);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

#define RUN(...) run((const char *[]){__VA_ARGS__, NULL})
static int
run(const char *const *arguments)
{
    int from = -1;
    pid_t pid = begin(arguments, &from);

    return finish(pid, from);
}

#define BEGIN(from, ...) begin((const char *[]){__VA_ARGS__, NULL}, from)

#define assert_says(text)                                                                          \
    do {                                                                                           \
        if (!strstr(output, text))                                                                 \
            fail_msg("'%s' was not said, but:\n%s", text, output);                                 \
    } while (0)

/* Looks until a running program of this name is seen. */
static void
await_running(const char *name)
{
    static const char running[] = "\"state\":\"running\"";
    char wanted[100];

    snprintf(wanted, sizeof(wanted), "\"name\":\"%s\"", name);
    for (unsigned look = 0; look < LOOKS; look++) {
        assert_int_equal(RUN("status", "--json"), 0);
        const char *found = strstr(output, wanted);
        const char *its = found ? strstr(found, "\"state\":") : NULL;
        if (its && strncmp(its, running, strlen(running)) == 0) {
            return;
        }
        poll(NULL, 0, 20);
    }
    fail_msg("'%s' does not run:\n%s", name, output);
}

/* ---- the environment ---- */

static void
make_song(int rate)
{
    float samples[2 * SONG_FRAMES];
    uint32_t seed = 7;
    SF_INFO info = {.samplerate = rate, .channels = 2, .format = SF_FORMAT_WAV | SF_FORMAT_FLOAT};
    SNDFILE *file = sf_open(song, SFM_WRITE, &info);

    assert_non_null(file);
    for (unsigned i = 0; i < 2 * SONG_FRAMES; i++) {
        seed = seed * 1664525U + 1013904223U;
        samples[i] = (float)((int32_t)seed / 512) / 8388608.0F + 1e-3F; /* never 0: it is found */
    }
    assert_int_equal(sf_writef_float(file, samples, SONG_FRAMES), SONG_FRAMES);
    sf_close(file);
}

static int
begin_test(void **state)
{
    setenv("TUTTI_SIM_CABLE", "0", 1);
    make_song(RATE);
    return 0;
}

static int
end_test(void **state)
{
    unlink(take);
    return RUN("stop-engine");
}

/* ---- tests ---- */

static void
status_starts_no_engine(void **state)
{
    assert_int_equal(RUN("status"), 0);
    assert_string_equal(output, "No engine runs. It starts by itself with the first program.\n");
    assert_int_equal(RUN("status", "--json"), 0);
    assert_string_equal(output,
                        "{\"engine\":null,\"device\":null,\"devices\":[],\"programs\":[]}\n");
    assert_int_equal(RUN("stop-engine"), 0);
    assert_string_equal(output, "No engine runs.\n");
}

static void
devices_starts_one_and_stop_engine_ends_it(void **state)
{
    assert_int_equal(RUN("devices"), 0);
    assert_says("Virtual sound card");
    assert_int_equal(RUN("status"), 0);
    assert_says("Engine  pid ");
    assert_says("No program is connected.");
    assert_int_equal(RUN("stop-engine"), 0);
    assert_says(" ended.");
    assert_int_equal(RUN("status"), 0);
    assert_says("No engine runs.");
}

static void
write_configuration(const char *text)
{
    FILE *file = fopen(configuration, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void
status_tells_a_mistake_in_the_configuration_until_it_is_mended(void **state)
{
    setenv("TUTTI_CONFIG", configuration, 1);
    write_configuration("[program]\nbuffer = several\n");
    assert_int_equal(RUN("devices"), 0);
    assert_int_equal(RUN("status"), 0);
    assert_says("tutti.ini:2: ");
    assert_says("'several';");
    assert_int_equal(RUN("status", "--json"), 0);
    assert_says("'several'; 256 stays\"");
    write_configuration("[program]\nbuffer = 64\n");
    for (unsigned look = 0; look < LOOKS && strstr(output, "several"); look++) {
        poll(NULL, 0, 20);
        assert_int_equal(RUN("status", "--json"), 0);
    }
    assert_says("\"problem\":\"\"");
    unlink(configuration);
    setenv("TUTTI_CONFIG", "/nonexistent", 1);
}

static void
the_log_level_is_set_where_everybody_follows_it(void **state)
{
    char wanted[100], log[4096] = "";

    setenv("TUTTI_CONFIG", configuration, 1);
    write_configuration("; mine\n[program]\nbuffer = 64\n");
    assert_int_equal(RUN("log", "level"), 0);
    assert_string_equal(output, "info\n");
    assert_int_equal(RUN("log", "level", "loud"), 2);
    assert_says("error, warning, info, debug");
    assert_int_equal(RUN("log", "level", "debug"), 0);
    assert_int_equal(RUN("log", "level"), 0);
    assert_string_equal(output, "debug\n");
    FILE *file = fopen(configuration, "r");
    assert_non_null(file);
    log[fread(log, 1, sizeof(log) - 1, file)] = '\0';
    fclose(file);
    snprintf(wanted, sizeof(wanted), "; mine\n[program]\nbuffer = 64\n\n[log]\nlevel = debug\n");
    assert_string_equal(log, wanted);
    unlink(configuration);
    setenv("TUTTI_CONFIG", "/nonexistent", 1);
}

static void
profiles_are_listed_and_their_names_checked(void **state)
{
    setenv("TUTTI_CONFIG", configuration, 1);
    write_configuration("[profile Low Latency]\nprogram.buffer = 64\n[profile a/b]\n");
    assert_int_equal(RUN("profile", "list"), 0);
    assert_says("Tutti Low Latency: in your configuration\n");
    assert_says("tutti wine install");
    assert_null(strstr(output, "a/b"));
    assert_int_equal(RUN("profile", "add", "a/b"), 2);
    assert_says("a profile's name has");
    assert_int_equal(RUN("profile", "add", "Fine"), 1);
    assert_says("tutti wine install");
    assert_int_equal(RUN("profile", "add"), 2);
    assert_int_equal(RUN("profile", "paint", "Fine"), 2);
    unlink(configuration);
    setenv("TUTTI_CONFIG", "/nonexistent", 1);
}

static void
doctor_sees_the_engine_and_starts_none(void **state)
{
    RUN("doctor");
    assert_says("no engine runs; the first program starts");
    assert_int_equal(RUN("status"), 0);
    assert_says("No engine runs.");
    assert_int_equal(RUN("devices"), 0);
    RUN("doctor", "--json");
    assert_says("\"name\":\"engine\",\"verdict\":\"ok\",\"text\":\"an engine runs (pid ");
    assert_int_equal(RUN("doctor", "--root", "/nowhere"), 1);
    assert_says("there is no folder '/nowhere'");
}

static void
wrong_arguments_end_with_2(void **state)
{
    assert_int_equal(RUN("pley"), 2);
    assert_says("did you mean 'play'?");
    assert_int_equal(RUN("play"), 2);
    assert_says("FILE is missing");
    assert_int_equal(RUN("latency", "--buffer", "x"), 2);
    assert_int_equal(RUN("record", "take.mp3"), 2);
    assert_int_equal(RUN("play", song, "--channels", "1,2,3"), 2);
    assert_says("the file has 2 channels");
    assert_int_equal(RUN("--help"), 0);
    assert_int_equal(RUN("play", "--help"), 0);
    assert_int_equal(RUN("--version"), 0);
}

static void
what_does_not_work_ends_with_1(void **state)
{
    assert_int_equal(RUN("play", "/nowhere/song.wav"), 1);
    assert_says("cannot open '/nowhere/song.wav': No such file or directory\n");
    assert_int_equal(RUN("record", "/nowhere/take.wav", "--seconds", "1"), 1);
    assert_says("cannot write '/nowhere/take.wav'");
    assert_int_equal(RUN("play", song, "--channels", "1,200"), 1);
    assert_says("there is no output 200");
    assert_int_equal(RUN("record", take, "--source", "4711"), 1);
    assert_says("there is no program 4711");
    assert_int_equal(access(take, F_OK), -1);
}

static void
a_file_of_another_rate_is_refused_unless_the_device_may_change(void **state)
{
    make_song(44100);
    assert_int_equal(RUN("play", song), 1);
    assert_says("the file has 44100 Hz, the device runs at 48000 Hz");
    assert_int_equal(RUN("play", song, "--set-rate", "--seconds", "0.05"), 0);
    /* and for the next file, with nobody playing, it is as it was */
    make_song(48000);
    assert_int_equal(RUN("play", song, "--seconds", "0.05"), 0);
}

static void
the_measured_round_trip_is_the_reported_one(void **state)
{
    assert_int_equal(RUN("latency", "--buffer", "256", "--json"), 0);
    assert_says("\"found\":true");
    assert_says("\"difference_frames\":0,");
    assert_says("\"exact\":true");
    assert_int_equal(RUN("latency", "--buffer", "1000", "--output", "2", "--input", "2"), 0);
    assert_says("exact");
}

static void
a_longer_cable_shows_as_the_difference(void **state)
{
    setenv("TUTTI_SIM_CABLE", "100", 1);
    assert_int_equal(RUN("latency", "--json"), 0);
    assert_says("\"difference_frames\":100,");
}

static void
without_a_cable_nothing_comes_back(void **state)
{
    setenv("TUTTI_SIM_CABLE", "-1", 1);
    assert_int_equal(RUN("latency"), 1);
    assert_says("Nothing came back from output 1 on input 1");
}

static void
what_play_plays_is_what_record_gets_bit_for_bit(void **state)
{
    static float played[2 * SONG_FRAMES], heard[2 * 2 * RATE];
    SF_INFO info = {0};
    int recorder_says = -1;

    pid_t recorder = BEGIN(&recorder_says, "record", take, "--source", "mix", "--buffer", "256");
    await_running("tutti record");
    assert_int_equal(RUN("play", song, "--buffer", "256"), 0);
    assert_string_equal(output, "");
    kill(recorder, SIGINT);
    assert_int_equal(finish(recorder, recorder_says), 0);
    assert_string_equal(output, "");

    SNDFILE *file = sf_open(song, SFM_READ, &info);
    assert_non_null(file);
    assert_int_equal(sf_readf_float(file, played, SONG_FRAMES), SONG_FRAMES);
    sf_close(file);
    info = (SF_INFO){0};
    file = sf_open(take, SFM_READ, &info);
    assert_non_null(file);
    assert_int_equal(info.channels, 2);
    assert_int_equal(info.samplerate, RATE);
    assert_int_equal(info.format, SF_FORMAT_WAVEX | SF_FORMAT_FLOAT);
    /* the song lies within silence, wherever it was started */
    float frame[2] = {0};
    while (frame[0] == 0) {
        assert_int_equal(sf_readf_float(file, frame, 1), 1);
    }
    memcpy(heard, frame, sizeof(frame));
    sf_count_t frames = 1 + sf_readf_float(file, heard + 2, 2 * RATE - 1);
    sf_close(file);
    assert_true(frames >= SONG_FRAMES);
    assert_memory_equal(heard, played, sizeof(played));
    for (sf_count_t i = 2 * SONG_FRAMES; i < 2 * frames; i++) {
        assert_true(heard[i] == 0);
    }
}

static void
record_ends_after_the_time_asked_for(void **state)
{
    SF_INFO info = {0};
    char flac[sizeof(take) + 8];

    snprintf(flac, sizeof(flac), "%s.flac", take);
    assert_int_equal(RUN("record", flac, "--channels", "3", "--seconds", "0.25"), 0);
    /* a take is not lost by a second one of the same name */
    assert_int_equal(RUN("record", flac, "--seconds", "0.1"), 1);
    assert_says("exists and stays as it is; name another file, or add --replace");
    SNDFILE *file = sf_open(flac, SFM_READ, &info);
    assert_non_null(file);
    sf_close(file);
    unlink(flac);
    assert_int_equal(info.frames, RATE / 4);
    assert_int_equal(info.channels, 1);
    assert_int_equal(info.format, SF_FORMAT_FLAC | SF_FORMAT_PCM_24);
}

static void
progress_is_shown_only_when_asked_for(void **state)
{
    assert_int_equal(RUN("play", song, "--seconds", "0.1"), 0);
    assert_string_equal(output, "");
    assert_int_equal(RUN("play", song, "--seconds", "0.1", "--progress"), 0);
    assert_says("100 %  0:00.1 / 0:00.1");
}

static void
watching_ends_with_an_interrupt(void **state)
{
    int from = -1;
    char byte = 0;
    pid_t pid = BEGIN(&from, "status", "--watch", "--json", "--interval", "0.05");

    assert_int_equal(read(from, &byte, 1), 1); /* it catches interrupts before it says anything */
    assert_int_equal(byte, '{');
    kill(pid, SIGTERM);
    assert_int_equal(finish(pid, from), 0);
    assert_int_equal(output[strlen(output) - 1], '\n');
}

static void
conform_says_what_it_needs_of_wine(void **state)
{
    assert_int_equal(RUN("conform", "--help"), 0);
    assert_says("Judges any ASIO driver");
    setenv("TUTTI_WINE_DLLS", "/nowhere", 1);
    setenv("WINELOADER", "/bin/true", 1);
    assert_int_equal(RUN("conform"), 2);
    assert_says("there is no driver in '/nowhere'");
    unsetenv("TUTTI_WINE_DLLS");
    unsetenv("WINELOADER");
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_test, end_test)
        TEST(status_starts_no_engine),
        TEST(devices_starts_one_and_stop_engine_ends_it),
        TEST(status_tells_a_mistake_in_the_configuration_until_it_is_mended),
        TEST(the_log_level_is_set_where_everybody_follows_it),
        TEST(profiles_are_listed_and_their_names_checked),
        TEST(doctor_sees_the_engine_and_starts_none),
        TEST(wrong_arguments_end_with_2),
        TEST(conform_says_what_it_needs_of_wine),
        TEST(what_does_not_work_ends_with_1),
        TEST(a_file_of_another_rate_is_refused_unless_the_device_may_change),
        TEST(the_measured_round_trip_is_the_reported_one),
        TEST(a_longer_cable_shows_as_the_difference),
        TEST(without_a_cable_nothing_comes_back),
        TEST(what_play_plays_is_what_record_gets_bit_for_bit),
        TEST(record_ends_after_the_time_asked_for),
        TEST(progress_is_shown_only_when_asked_for),
        TEST(watching_ends_with_an_interrupt),
#undef TEST
    };
    static const char *const settings[][2] = {
        {"TUTTI_DEVICE_BACKEND", "sim"},
        {"TUTTI_DEVICE_PERIOD", "256"}, /* never reopened: nothing is lost on the way */
        {"TUTTI_SIM_ELASTIC_MS", "1000"},
        {"LC_ALL", "C"},
    };

    if (argc != 3 || !mkdtemp(folder)) {
        fprintf(stderr, "usage: test_commands TUTTI TUTTID\n");
        return 2;
    }
    static char engine[PATH_MAX], command_path[PATH_MAX];
    tutti = realpath(argv[1], command_path);
    if (!tutti || !realpath(argv[2], engine)) {
        return 2;
    }
    for (unsigned i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
        setenv(settings[i][0], settings[i][1], 1);
    }
    snprintf(song, sizeof(song), "%s/song.wav", folder);
    snprintf(configuration, sizeof(configuration), "%s/tutti.ini", folder);
    snprintf(take, sizeof(take), "%s/take.wav", folder);
    setenv("TUTTI_ENGINE", engine, 1);
    setenv("TUTTI_RUNTIME_DIR", folder, 1);
    setenv("TUTTI_CONFIG", "/nonexistent", 1);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed == 0) { /* else it keeps the log */
        char command[sizeof(folder) + 16];
        snprintf(command, sizeof(command), "rm -rf '%s'", folder);
        failed = system(command) != 0;
    }
    return failed;
}
