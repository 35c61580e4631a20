/* SPDX-License-Identifier: MIT */
/*
 * Each verdict of each check of 'tutti doctor', on trees of files that stand for machines. CASES is
 * the table: what lies below the root, and what the check must say of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/linux/doctor.h"

enum { MOST_FILES = 6 };

static char root[] = "/tmp/tutti-doctor-XXXXXX";

struct file {
    const char *path, *content; /* content NULL: a folder */
};

struct doctor_case {
    const char *check, *what;
    struct file files[MOST_FILES];
    enum doctor_verdict verdict;
    const char *says;
};

#define LIMITS(rtprio, memlock)                                                                    \
    {                                                                                              \
        "proc/self/limits", "Limit                     Soft Limit           Hard Limit\n"          \
                            "Max locked memory         " memlock "   " memlock "   bytes\n"        \
                            "Max realtime priority     " rtprio "    " rtprio "\n"                 \
    }
#define STATUS(groups)                                                                             \
    {                                                                                              \
        "proc/self/status", "Name:\tx\nGroups:\t" groups " \nCapEff:\t0000000000000000\n"          \
    }
#define CAPABLE                                                                                    \
    {                                                                                              \
        "proc/self/status", "CapEff:\t0000000000804000\n"                                          \
    }
#define RTKIT                                                                                      \
    {"usr/share/dbus-1/system-services/org.freedesktop.RealtimeKit1.service", ""},                 \
    {                                                                                              \
        "run/dbus/system_bus_socket", ""                                                           \
    }
#define GROUPS                                                                                     \
    {                                                                                              \
        "etc/group", "root:x:0:\naudiophile:x:7:\naudio:x:29:me\n"                                 \
    }
#define GOVERNOR(cpu, governor)                                                                    \
    {                                                                                              \
        "sys/devices/system/cpu/cpu" cpu "/cpufreq/scaling_governor", governor "\n"                \
    }
#define KERNEL(flavour)                                                                            \
    {                                                                                              \
        "proc/version", "Linux version 6.1 #1 SMP" flavour " x\n"                                  \
    }
#define RUNS(pid, name)                                                                            \
    {                                                                                              \
        "proc/" pid "/comm", name "\n"                                                             \
    }
#define FINDS(first, second, third)                                                                \
    {                                                                                              \
        "says/tuttid", first "\n" second "\n" third "\n"                                           \
    }
#define USB "sys/bus/usb/devices/"

static const struct doctor_case cases[] = {
    {"realtime", "limit", {LIMITS("95", "unlimited")}, DOCTOR_OK, "up to 95"},
    {"realtime", "capability", {LIMITS("0", "65536"), CAPABLE}, DOCTOR_OK, "up to 99"},
    {"realtime", "low", {LIMITS("20", "65536")}, DOCTOR_WARN, "up to 20 only"},
    {"realtime", "rtkit", {LIMITS("0", "65536"), RTKIT}, DOCTOR_WARN, "RealtimeKit only"},
    {"realtime", "none", {LIMITS("0", "65536")}, DOCTOR_FAIL, "limits.d/audio.conf"},
    {"memlock", "unlimited", {LIMITS("0", "unlimited")}, DOCTOR_OK, "without limit"},
    {"memlock", "enough", {LIMITS("0", "134217728")}, DOCTOR_OK, "128 MiB"},
    {"memlock", "capability", {LIMITS("0", "65536"), CAPABLE}, DOCTOR_OK, "without limit"},
    {"memlock", "little", {LIMITS("0", "65536")}, DOCTOR_WARN, "only 64 KiB"},
    {"rtkit", "there", {LIMITS("0", "1"), RTKIT}, DOCTOR_OK, "is there"},
    {"rtkit", "not needed", {LIMITS("95", "1")}, DOCTOR_OK, "not needed"},
    {"rtkit", "missing", {LIMITS("0", "1")}, DOCTOR_WARN, "install the package rtkit"},
    {"group", "member", {GROUPS, STATUS("4 29 100")}, DOCTOR_OK, "you are in the group audio"},
    {"group", "no member", {GROUPS, STATUS("4 290 7")}, DOCTOR_WARN, "usermod -aG audio"},
    {"group", "not needed", {GROUPS, STATUS("4"), LIMITS("95", "1")}, DOCTOR_OK, "need not be"},
    {"group",
     "old session",
     {GROUPS, STATUS("29"), {"etc/security/limits.d/audio.conf", "# rtprio\n@audio - rtprio 95\n"}},
     DOCTOR_WARN,
     "log in again"},
    {"group",
     "comment only",
     {GROUPS, STATUS("29"), {"etc/security/limits.d/audio.conf", "#@audio - rtprio 95\n"}},
     DOCTOR_OK,
     "you are in"},
    {"group", "no group", {STATUS("4")}, DOCTOR_WARN, "groupadd audio"},
    {"governor",
     "fast",
     {GOVERNOR("0", "performance"), GOVERNOR("1", "performance")},
     DOCTOR_OK,
     "'performance'"},
    {"governor",
     "slow",
     {GOVERNOR("0", "performance"), GOVERNOR("11", "powersave")},
     DOCTOR_WARN,
     "1 of 2 processors change their speed ('powersave')"},
    {"governor", "none", {{"sys/devices/system/cpu/cpu0", NULL}}, DOCTOR_OK, "does not change"},
    {"kernel", "real time", {KERNEL(" PREEMPT_RT")}, DOCTOR_OK, "real-time kernel"},
    {"kernel", "server", {KERNEL("")}, DOCTOR_WARN, "boot one with PREEMPT"},
    {"kernel", "dynamic", {KERNEL(" PREEMPT_DYNAMIC")}, DOCTOR_WARN, "'preempt=full threadirqs'"},
    {"kernel",
     "full",
     {KERNEL(" PREEMPT_DYNAMIC"), {"proc/cmdline", "root=/x preempt=full\n"}},
     DOCTOR_WARN,
     "add 'threadirqs'"},
    {"kernel",
     "all",
     {KERNEL(" PREEMPT_DYNAMIC"), {"proc/cmdline", "preempt=full threadirqs\n"}},
     DOCTOR_OK,
     "overtake"},
    {"servers", "none", {{"proc", NULL}}, DOCTOR_OK, "no sound server"},
    {"servers", "JACK", {RUNS("12", "jackd")}, DOCTOR_OK, "JACK runs"},
    {"servers", "two", {RUNS("12", "jackd"), RUNS("13", "pipewire")}, DOCTOR_WARN, "beside"},
    {"servers",
     "PipeWire",
     {RUNS("12", "pipewire"), RUNS("13", "wireplumber")},
     DOCTOR_OK,
     "PipeWire runs"},
    {"servers", "alone", {RUNS("12", "pipewire")}, DOCTOR_WARN, "--now wireplumber"},
    {"servers", "PulseAudio", {RUNS("9", "pulseaudio")}, DOCTOR_WARN, "tens of milliseconds"},
    {"servers",
     "both",
     {RUNS("9", "pulseaudio"), RUNS("10", "pipewire")},
     DOCTOR_WARN,
     "remove pulseaudio"},
    {"pipewire", "not there", {{"proc", NULL}}, DOCTOR_OK, "does not run"},
    {"pipewire", "as delivered", {RUNS("1", "pipewire")}, DOCTOR_OK, "1024 frames, at least 32"},
    {"pipewire",
     "configured",
     {RUNS("1", "pipewire"),
      {"usr/share/pipewire/pipewire.conf", "  #default.clock.quantum = 7\n"},
      {"etc/pipewire/pipewire.conf.d/10-x.conf", "default.clock.min-quantum = 512\n"}},
     DOCTOR_WARN,
     "never below 512"},
    {"pipewire",
     "own configuration wins",
     {RUNS("1", "pipewire"),
      {"etc/pipewire/pipewire.conf", "default.clock.min-quantum = 512\n"},
      {"home/.config/pipewire/pipewire.conf.d/x.conf", "default.clock.min-quantum = 64\n"}},
     DOCTOR_OK,
     "at least 64"},
    {"pipewire",
     "asked",
     {RUNS("1", "pipewire"),
      {"says/pw-metadata", "update: id:0 key:'clock.quantum' value:'256' type:''\n"
                           "update: id:0 key:'clock.min-quantum' value:'16' type:''\n"
                           "update: id:0 key:'clock.force-quantum' value:'0' type:''\n"}},
     DOCTOR_OK,
     "256 frames, at least 16"},
    {"pipewire",
     "forced",
     {RUNS("1", "pipewire"),
      {"says/pw-metadata", "key:'clock.quantum' value:'256'\n"
                           "key:'clock.force-quantum' value:'2048' type:''\n"}},
     DOCTOR_WARN,
     "forced to 2048"},
    {"configuration", "no engine", {{"proc", NULL}}, DOCTOR_WARN, "cannot be checked"},
    {"configuration", "good", {{"says/tuttid", "file: /h/t.ini\n"}}, DOCTOR_OK, "no mistakes"},
    {"configuration",
     "none",
     {{"says/tuttid", "none: /h/t.ini\n"}},
     DOCTOR_OK,
     "no file '/h/t.ini'; every key has its default"},
    {"configuration",
     "mistakes",
     {{"says/tuttid", "file: /h/t.ini\n/h/t.ini:3: one; 4 stays\n/h/t.ini:7: two\nTUTTI_X: no\n"}},
     DOCTOR_WARN,
     "'/h/t.ini' has mistakes, so former or default values count: line 3: one; 4 stays; line 7: "
     "two; "
     "TUTTI_X: no"},
    {"configuration",
     "misnamed",
     {{"says/tuttid", "none: /h/t.ini\n/h/t.ini: there is only one with .txt\n"}},
     DOCTOR_WARN,
     "'/h/t.ini' has mistakes, so former or default values count: there is only one"},
    {"device", "no brackets", {{"says/tuttid", ""}}, DOCTOR_FAIL, "is not there; 'tutti"},
    {"device", "no engine", {{"proc", NULL}}, DOCTOR_WARN, "is not known"},
    {"device",
     "PipeWire",
     {FINDS("pipewire -: Speakers", "jack -: [not installed]", "sim silent: Virtual sound card")},
     DOCTOR_OK,
     "programs play through 'Speakers' (pipewire)"},
    {"device",
     "second",
     {FINDS("pipewire -: [does not answer]", "jack -: JACK", "sim silent: Virtual sound card")},
     DOCTOR_OK,
     "'JACK' (jack); pipewire does not answer"},
    {"device",
     "nothing",
     {FINDS("pipewire -: [not installed]", "alsa -: [finds nothing]", "sim silent: Virtual")},
     DOCTOR_WARN,
     "only the virtual sound card (pipewire not installed, alsa finds nothing)"},
    {"device",
     "library",
     {FINDS("pipewire -: Speakers", "alsa -: hw:A", "sim silent: Virtual"), RUNS("12", "jackd")},
     DOCTOR_OK,
     "Speakers"},
    {"device",
     "no library",
     {FINDS("jack -: [not installed]", "alsa -: hw:A", "sim silent: V"), RUNS("12", "jackd")},
     DOCTOR_WARN,
     "jack runs, but its library (libjack)"},
    {"device", "wanted", {{"says/tuttid", "sim silent: V\n"}}, DOCTOR_OK, "configuration wants"},
    {"device", "away", {{"says/tuttid", "alsa -: [finds nothing]\n"}}, DOCTOR_FAIL, "is not there"},
    {"wine", "none", {{"usr", NULL}}, DOCTOR_WARN, "not installed"},
    {"wine",
     "64 bits",
     {{"usr/lib/wine/wine64", ""}, {"says/wine64", "wine-8.0\n"}},
     DOCTOR_WARN,
     "wine-8.0 runs 64-bit programs only"},
    {"wine",
     "both",
     {{"usr/bin/wine", ""}, {"usr/lib/wine/i386-unix", NULL}, {"says/wine", "wine-9.0\n"}},
     DOCTOR_OK,
     "wine-9.0, for 64- and 32-bit"},
    {"wine", "broken", {{"usr/bin/wine", ""}}, DOCTOR_FAIL, "does not run"},
    {"driver", "no prefix", {{"home", NULL}}, DOCTOR_OK, "no default Wine prefix"},
    {"driver",
     "not registered",
     {{"home/.wine/drive_c", NULL}, {"home/.wine/system.reg", "x"}},
     DOCTOR_WARN,
     "not registered"},
    {"driver",
     "gone",
     {{"home/.wine/drive_c", NULL},
      {"home/.wine/system.reg",
       "WINE REGISTRY Version 2\n\n#arch=win64\n\n"
       "[Software\\\\ASIO\\\\Tutti] 1\n\"CLSID\"=\"{64DF45EA-BF66-45EF-B350-D02DB142E37E}\"\n\n"
       "[Software\\\\Classes\\\\CLSID\\\\{64DF45EA-BF66-45EF-B350-D02DB142E37E}\\\\InprocServer32]"
       " 1\n@=\"Z:\\\\nowhere\\\\tutti.dll\"\n"}},
     DOCTOR_FAIL,
     "file is gone"},
    {"usb", "none", {{USB "1-1/speed", "480\n"}}, DOCTOR_OK, "no USB sound device"},
    {"usb",
     "awake",
     {{USB "1-1/speed", "480\n"},
      {USB "1-1/power/control", "on\n"},
      {USB "1-1:1.0/bInterfaceClass", "01\n"}},
     DOCTOR_OK,
     "stay awake"},
    {"usb",
     "asleep",
     {{USB "1-1/product", "Babyface\n"},
      {USB "1-1/power/control", "auto\n"},
      {USB "1-1/power/autosuspend_delay_ms", "2000\n"},
      {USB "1-1:1.0/bInterfaceClass", "01\n"}},
     DOCTOR_WARN,
     "'Babyface' is put to sleep"},
    {"usb",
     "a mouse sleeps",
     {{USB "1-1/power/control", "auto\n"},
      {USB "1-1/power/autosuspend_delay_ms", "2000\n"},
      {USB "1-1:1.0/bInterfaceClass", "03\n"}},
     DOCTOR_OK,
     "no USB sound device"},
    {"usb",
     "behind a hub",
     {{USB "1-1.4/speed", "12\n"}, {USB "1-1.4:1.0/bInterfaceClass", "01\n"}},
     DOCTOR_WARN,
     "full-speed device behind a hub"},
    {"interrupts",
     "alone",
     {{"proc/interrupts", "  CPU0\n 16:  1  IO-APIC  16-fasteoi  xhci_hcd\n"}},
     DOCTOR_OK,
     "no sound"},
    {"interrupts",
     "shared",
     {{"proc/interrupts", "  CPU0\n 17:  1  IO-APIC  16-fasteoi  i801_smbus, snd_hda_intel\n"}},
     DOCTOR_WARN,
     "interrupt 17 is shared (i801_smbus, snd_hda_intel)"},
    {"interrupts",
     "shared by others",
     {{"proc/interrupts", "  CPU0\n 17:  1  IO-APIC  16-fasteoi  i801_smbus, ahci\n"}},
     DOCTOR_OK,
     "no sound"},
    {"interrupts", "unknown", {{"home", NULL}}, DOCTOR_WARN, "cannot be read"},
    {"shm", "enough", {{"dev/shm", NULL}, {"says/free", "200\n"}}, DOCTOR_OK, "200 MiB free"},
    {"shm", "little", {{"dev/shm", NULL}, {"says/free", "30\n"}}, DOCTOR_WARN, "nearly full"},
    {"shm", "full", {{"dev/shm", NULL}, {"says/free", "3\n"}}, DOCTOR_FAIL, "is full"},
    {"shm", "missing", {{"says/free", "200\n"}}, DOCTOR_FAIL, "is not there"},
    {"runtime", "own", {{"run/own", NULL}}, DOCTOR_OK, "meet in /run/own/tutti"},
    {"runtime", "missing", {{"run", NULL}}, DOCTOR_FAIL, "which is not there"},
};

/* ---- the world of a case ---- */

static int
remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    return remove(path);
}

static void
empty_root(void)
{
    nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    assert_int_equal(mkdir(root, 0755), 0);
}

static void
make(const struct file *file)
{
    char path[FILES_PATH_BYTES];

    assert_true(files_join(path, root, file->path));
    for (char *at = path + strlen(root) + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
        *at = '/';
    }
    if (file->content) {
        assert_true(files_write(path, file->content));
    } else {
        assert_int_equal(mkdir(path, 0700), 0);
    }
}

/* What says/NAME holds is what the command NAME says. */
static bool
run_fake(const char *const *argv, struct text *said)
{
    const char *name = strrchr(argv[0], '/');
    char path[FILES_PATH_BYTES];

    return files_join(path, root, "says") && files_join(path, path, name ? name : argv[0]) &&
           files_read(said, path);
}

static bool
free_fake(const char *path, uint64_t *bytes)
{
    char file[FILES_PATH_BYTES], line[32];

    assert_true(files_join(file, root, "says/free"));
    files_read_line(file, line, sizeof(line));
    *bytes = strtoull(line, NULL, 10) << 20;
    return true;
}

/* One that can be asked; none runs. */
static struct doctor_engine no_engine = {.program = "/x/tuttid"};

static struct doctor_world
fake_world(void)
{
    return (struct doctor_world){.root = root,
                                 .home = "/home",
                                 .runtime_dir = "/run/own",
                                 .uid = (uint32_t)getuid(),
                                 .engine = &no_engine,
                                 .run = run_fake,
                                 .free_bytes = free_fake};
}

static const struct doctor_check *
find_check(const char *name)
{
    for (unsigned i = 0; i < doctor_check_count; i++) {
        if (strcmp(doctor_checks[i].name, name) == 0) {
            return &doctor_checks[i];
        }
    }
    fail_msg("there is no check '%s'", name);
    return NULL;
}

/* A command stands in a line of its own, whole, where a person can paste it; the sentence before it
 * ends with a colon. */
static void
expect_pasteable(const char *check, const struct doctor_finding *finding)
{
    const struct style narrow = {.columns = STYLE_MIN_COLUMNS};
    const size_t length = strlen(finding->text);
    char line[DOCTOR_COMMAND_BYTES + 32];
    struct text out;

    if (length && finding->text[length - 1] == ':') {
        assert_true(finding->command[0]);
    }
    text_init(&out);
    doctor_show(&out, &narrow, check, finding);
    if (finding->command[0]) {
        snprintf(line, sizeof(line), "  %s\n", finding->command);
        const char *last = strstr(text_get(&out), line);
        assert_non_null(last);
        assert_string_equal(last, line);
    }
    text_fini(&out);
}

static void
expect(const struct doctor_world *world, const char *check, const char *what,
       enum doctor_verdict verdict, const char *says)
{
    struct doctor_finding finding = {.verdict = DOCTOR_FAIL};

    find_check(check)->look(world, &finding);
    if (finding.verdict != verdict ||
        (!strstr(finding.text, says) && !strstr(finding.command, says))) {
        fail_msg("%s, %s: verdict %d and '%s' were to come, but %d and '%s' came", check, what,
                 (int)verdict, says, (int)finding.verdict, finding.text);
    }
    assert_null(strchr(finding.text, '\n'));
    expect_pasteable(check, &finding);
}

/* ---- tests ---- */

static void
each_check_says_what_its_tree_calls_for(void **state)
{
    const struct doctor_world world = fake_world();

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        empty_root();
        for (unsigned f = 0; f < MOST_FILES && cases[i].files[f].path; f++) {
            make(&cases[i].files[f]);
        }
        expect(&world, cases[i].check, cases[i].what, cases[i].verdict, cases[i].says);
    }
}

static void
the_engine_is_looked_at_from_outside(void **state)
{
    static const struct {
        struct doctor_engine engine;
        enum doctor_verdict verdict;
        const char *says;
    } looks[] = {
        {{.runs = true, .answers = true, .pid = 7, .version = TUTTI_VERSION}, DOCTOR_OK, "pid 7"},
        {{.runs = true, .answers = true, .version = "0.0.9"}, DOCTOR_WARN, "is version 0.0.9"},
        {{.runs = true, .why = "access refused"}, DOCTOR_FAIL, "access refused"},
        {{.program = "/x/tuttid", .version = TUTTI_VERSION}, DOCTOR_OK, "starts /x/tuttid"},
        {{.program = "/x/tuttid", .version = "9.9.9"}, DOCTOR_WARN, "install both together"},
        {{.program = ""}, DOCTOR_FAIL, "tuttid is not beside tutti"},
    };

    for (unsigned i = 0; i < sizeof(looks) / sizeof(*looks); i++) {
        struct doctor_world world = fake_world();
        world.engine = &looks[i].engine;
        expect(&world, "engine", looks[i].says, looks[i].verdict, looks[i].says);
    }
}

static void
the_bridge_is_tried(void **state)
{
    struct doctor_engine engine = {.runs = false};
    struct doctor_world world = fake_world();

    world.engine = &engine;
    empty_root();
    assert_true(files_join(engine.bridge, root, "tutti-bridge"));
    expect(&world, "bridge", "away", DOCTOR_WARN, "is not beside tutti");
    make(&(struct file){"tutti-bridge", ""});
    expect(&world, "bridge", "broken", DOCTOR_FAIL, "does not run");
    make(&(struct file){"says/tutti-bridge", "tutti-bridge 9.9.9\n"});
    expect(&world, "bridge", "of another version", DOCTOR_WARN, "is version 9.9.9");
    make(&(struct file){"says/tutti-bridge", "tutti-bridge " TUTTI_VERSION "\n"});
    expect(&world, "bridge", "good", DOCTOR_OK, "reach the native engine");
}

static void
a_runtime_folder_of_others_or_none_is_told(void **state)
{
    struct doctor_world world = fake_world();
    char path[FILES_PATH_BYTES], name[64];

    empty_root();
    make(&(struct file){"run/own", NULL});
    assert_true(files_join(path, root, "run/own"));
    assert_int_equal(chmod(path, 0755), 0);
    expect(&world, "runtime", "open to others", DOCTOR_FAIL, "mode 755");
    assert_int_equal(chmod(path, 0700), 0);
    world.uid++;
    expect(&world, "runtime", "somebody else's", DOCTOR_FAIL, "belongs to user ");
    world.runtime_dir = NULL;
    expect(&world, "runtime", "not set", DOCTOR_WARN, "XDG_RUNTIME_DIR is not set");
    snprintf(name, sizeof(name), "tmp/tutti-%u/x", world.uid);
    make(&(struct file){name, NULL});
    expect(&world, "runtime", "taken", DOCTOR_FAIL, "is not yours alone");
    world.uid--;
    snprintf(name, sizeof(name), "run/user/%u/x", world.uid);
    make(&(struct file){name, NULL});
    *strrchr(name, '/') = '\0';
    assert_true(files_join(path, root, name));
    assert_int_equal(chmod(path, 0700), 0);
    expect(&world, "runtime", "the session's", DOCTOR_OK, "/run/user/");
}

static void
every_check_stands_in_the_table_of_cases_or_has_a_test_of_its_own(void **state)
{
    for (unsigned i = 0; i < doctor_check_count; i++) {
        unsigned found = strcmp(doctor_checks[i].name, "engine") == 0 ||
                         strcmp(doctor_checks[i].name, "bridge") == 0;
        for (unsigned c = 0; c < sizeof(cases) / sizeof(*cases); c++) {
            found += strcmp(cases[c].check, doctor_checks[i].name) == 0;
        }
        if (!found) {
            fail_msg("%s has no case", doctor_checks[i].name);
        }
    }
}

static void
an_empty_system_is_no_reason_to_crash(void **state)
{
    struct doctor_world world = fake_world();

    empty_root();
    world.run = NULL;
    world.free_bytes = NULL;
    for (unsigned i = 0; i < doctor_check_count; i++) {
        struct doctor_finding finding = {0};
        doctor_checks[i].look(&world, &finding);
        assert_true(finding.text[0]);
    }
}

static int
begin_all(void **state)
{
    unsetenv("TUTTI_WINE_DLLS");
    return mkdtemp(root) ? 0 : -1;
}

static int
end_all(void **state)
{
    return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_check_says_what_its_tree_calls_for),
        cmocka_unit_test(the_engine_is_looked_at_from_outside),
        cmocka_unit_test(the_bridge_is_tried),
        cmocka_unit_test(a_runtime_folder_of_others_or_none_is_told),
        cmocka_unit_test(every_check_stands_in_the_table_of_cases_or_has_a_test_of_its_own),
        cmocka_unit_test(an_empty_system_is_no_reason_to_crash),
    };

    return cmocka_run_group_tests(tests, begin_all, end_all);
}
