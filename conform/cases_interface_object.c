/* SPDX-License-Identifier: MIT */
/* Group interface, the object: how it is created, counted, shared between threads and let go of. */
#include "conform/inside.h"

#include <string.h>

enum { CREATIONS = 100, INITS = 20, APART_S = 25 };

static const struct asio_guid iid_unknown = {0, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}};

/* ---- creation ---- */

static void
created_with_its_clsid_as_interface(struct conform *t)
{
    struct subject *s = subject_create(t);

    if (!s) {
        return;
    }
    void *const *slots = (void *const *)s->asio->methods;
    for (unsigned i = 0; i < METHOD_COUNT; i++) {
        conform_expect(t, slots[i], "slot %u (%s) of the virtual table is NULL", i,
                       conform_method_name((enum conform_method)i));
    }
    subject_close(s);
}

static void
query_interface_answers_its_clsid_and_unknown(struct conform *t)
{
    const struct asio_guid *const iids[] = {conform_clsid(t), &iid_unknown};
    static const char *const names[] = {"its CLSID", "IUnknown"};
    struct subject *s = subject_create(t);

    if (!s) {
        return;
    }
    for (unsigned i = 0; i < sizeof(iids) / sizeof(*iids); i++) {
        void *object = NULL;
        int32_t answer = call_query_interface(s, iids[i], &object);
        if (!conform_expect(t, answer == 0 && object,
                            "QueryInterface for %s answered %#x with object %p", names[i],
                            (unsigned)answer, object)) {
            continue;
        }
        conform_expect(t, object == (void *)s->asio || i > 0,
                       "QueryInterface for %s gave another pointer than the object", names[i]);
        ((struct asio_driver *)object)->methods->release(object);
    }
    subject_close(s);
}

static void
query_interface_refuses_what_it_is_not(struct conform *t)
{
    static const struct asio_guid dispatch = {0x20400, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}};
    static const struct asio_guid made_up = {0x7f3a91c2, 0x11d4, 0x4b7e, {1, 2, 3, 4, 5, 6, 7, 8}};
    static const struct asio_guid *const iids[] = {&dispatch, &made_up};
    const int32_t no_interface = (int32_t)0x80004002u;
    struct subject *s = subject_create(t);

    if (!s) {
        return;
    }
    for (unsigned i = 0; i < sizeof(iids) / sizeof(*iids); i++) {
        void *object = (void *)s;
        int32_t answer = call_query_interface(s, iids[i], &object);
        conform_expect(t, answer == no_interface,
                       "an interface that no driver has was answered %#x, not E_NOINTERFACE",
                       (unsigned)answer);
        conform_expect(t, !object, "the object pointer is not NULL after a refusal");
    }
    subject_close(s);
}

static void
references_are_counted(struct conform *t)
{
    struct subject *s = subject_create(t);

    if (!s) {
        return;
    }
    uint32_t two = call_add_ref(s), three = call_add_ref(s);
    uint32_t two_left = call_release(s), one_left = two_left ? call_release(s) : 0;
    conform_expect(t, two == 2 && three == 3, "AddRef answered %u and %u, not 2 and 3", two, three);
    conform_expect(t, two_left == 2 && one_left == 1, "Release answered %u and %u, not 2 and 1",
                   two_left, one_left);
    if (s->asio) {
        uint32_t left = call_release(s);
        conform_expect(t, left == 0, "the last Release answered %u, not 0", left);
    }
    subject_close(s);
}

static void
created_and_released_a_hundred_times(struct conform *t)
{
    uint64_t began = conform_now_ns();

    for (unsigned i = 0; i < CREATIONS && !conform_failed(t); i++) {
        subject_close(subject_create(t));
    }
    conform_figure(t, (double)(conform_now_ns() - began) / 1e6 / CREATIONS, "ms each");
}

static void
initialised_and_released_many_times(struct conform *t)
{
    uint64_t began = conform_now_ns();

    for (unsigned i = 0; i < INITS && !conform_failed(t); i++) {
        subject_close(subject_open(t));
    }
    conform_figure(t, (double)(conform_now_ns() - began) / 1e6 / INITS, "ms each");
}

static void
init_is_quick(struct conform *t)
{
    enum { QUICK_MS = 5000 };
    struct subject *s = subject_create(t);

    if (!s) {
        return;
    }
    uint64_t began = conform_now_ns();
    subject_init(s);
    double ms = (double)(conform_now_ns() - began) / 1e6;
    conform_figure(t, ms, "ms");
    conform_expect(t, ms < QUICK_MS, "init took %.0f ms", ms);
    subject_close(s);
}

static void
init_answers_1(struct conform *t)
{
    struct subject *s = subject_create(t);

    if (!s) {
        return;
    }
    int32_t answer = call_init(s, NULL);
    conform_expect(t, answer == 1, "init succeeds with %d", (int)answer);
    subject_close(s);
}

static void
two_instances_live_side_by_side(struct conform *t)
{
    char text[ASIO_ERROR_BYTES + 1];
    struct subject *one = subject_open(t), *other = one ? subject_create(t) : NULL;
    int32_t inputs, outputs;

    if (other && !call_init(other, NULL)) {
        /* a driver for one program at a time is fair, if it says so */
        call_get_error_message(other, text);
        conform_expect(t, text[0], "the second init failed without a reason");
    }
    subject_close(other);
    if (one) {
        int32_t answer = call_get_channels(one, &inputs, &outputs);
        conform_expect(t, answer == ASIO_OK,
                       "when the second one was gone, getChannels of the "
                       "first answered %s",
                       conform_error_text(answer));
    }
    subject_close(one);
}

static void
unloaded_and_loaded_again(struct conform *t)
{
    enum { TIMES = 5 };

    for (unsigned i = 0; i < TIMES && !conform_failed(t); i++) {
        subject_close(subject_in(t, RUNNING));
        CoFreeUnusedLibrariesEx(0, 0);
        conform_sleep_ms(20);
    }
}

/* ---- released early ---- */

static void
released_in_each_state(struct conform *t)
{
    for (unsigned state = LOADED; state < SUBJECT_STATES; state++) {
        struct subject *s = subject_in(t, (enum subject_state)state);
        if (!s) {
            return;
        }
        uint32_t left = call_release(s);
        uint32_t seen = atomic_load(&s->host.block_count);
        conform_expect(t, left == 0, "Release in %s answered %u, not 0", subject_state_names[state],
                       left);
        conform_sleep_ms(state == RUNNING ? 100 : 0);
        uint32_t later = atomic_load(&s->host.block_count);
        conform_expect(t, later == seen, "%u callbacks came after Release in %s", later - seen,
                       subject_state_names[state]);
        s->asio = NULL;
        subject_close(s);
    }
}

/* ---- apartments and threads ---- */

static void
use_whole(void *arg)
{
    struct conform *t = arg;

    subject_close(subject_in(t, RUNNING));
}

static void
works_in_a_multithreaded_apartment(struct conform *t)
{
    conform_on_thread(t, APARTMENT_MTA, APART_S, use_whole, t);
}

static void
works_in_a_silent_single_threaded_apartment(struct conform *t)
{
    /* this thread waits without pumping, and so does the other one */
    conform_on_thread(t, APARTMENT_STA, APART_S, use_whole, t);
}

static void
lead_to_running(void *arg)
{
    struct subject *s = arg;

    if (subject_init(s) && subject_prepare(s, 2, 2, 0)) {
        subject_stream(s, 2);
    }
}

static void
lead_back(void *arg)
{
    struct subject *s = arg;

    subject_dispose(s);
}

static void
threads_may_take_turns(struct conform *t)
{
    struct subject *s = subject_create(t);

    if (!s) {
        return;
    }
    if (!conform_on_thread(t, APARTMENT_MTA, APART_S, lead_to_running, s) ||
        !conform_on_thread(t, APARTMENT_NONE, APART_S, lead_back, s)) {
        subject_abandon(s);
        return;
    }
    subject_close(s);
}

struct asker {
    struct subject *s;
    _Atomic uint32_t wrong, asked;
};

static DWORD WINAPI
ask_often(void *arg)
{
    enum { TIMES = 300 };
    struct asker *asker = arg;
    struct subject *s = asker->s;

    for (unsigned i = 0; i < TIMES; i++) {
        int32_t a = 0, b = 0, c = 0, d = 0;
        double rate = 0;
        struct asio_channel_info info = {.is_input = s->inputs > 0};
        bool good = call_get_channels(s, &a, &b) == ASIO_OK && a == s->inputs && b == s->outputs &&
                    call_get_latencies(s, &a, &b) == ASIO_OK &&
                    call_get_buffer_size(s, &a, &b, &c, &d) == ASIO_OK && a == s->min &&
                    call_get_sample_rate(s, &rate) == ASIO_OK && rate == s->rate_hz &&
                    call_get_channel_info(s, &info) == ASIO_OK &&
                    call_can_sample_rate(s, s->rate_hz) == ASIO_OK;
        atomic_fetch_add(&asker->wrong, !good);
        atomic_fetch_add(&asker->asked, 1);
    }
    return 0;
}

static void
many_threads_may_ask_at_once(struct conform *t)
{
    enum { THREADS = 4 };
    struct subject *s = subject_in(t, RUNNING);
    struct asker asker = {.s = s};
    HANDLE threads[THREADS];
    unsigned count = 0;

    if (!s) {
        return;
    }
    for (; count < THREADS; count++) {
        threads[count] = CreateThread(NULL, 0, ask_often, &asker, 0, NULL);
        if (!threads[count]) {
            break;
        }
    }
    if (count) {
        WaitForMultipleObjects(count, threads, TRUE, INFINITE);
    }
    for (unsigned i = 0; i < count; i++) {
        CloseHandle(threads[i]);
    }
    conform_expect(t, atomic_load(&asker.wrong) == 0,
                   "%u of %u rounds of questions from %u "
                   "threads had a wrong answer",
                   atomic_load(&asker.wrong), atomic_load(&asker.asked), count);
    subject_close(s);
}

/* ---- from within a callback ---- */

struct inner {
    int32_t channels, latencies, rate, can_rate, position, info, selector;
};

static void
ask_from_within(struct host *host, const struct host_block *block)
{
    struct inner *inner = host->user;
    struct subject *s = host->subject;
    struct asio_channel_info info = {.is_input = s->inputs > 0};
    int32_t a, b;
    double rate;
    uint64_t position, time;

    if (atomic_load(&host->block_count) != 1) {
        return;
    }
    inner->channels = call_get_channels(s, &a, &b);
    inner->latencies = call_get_latencies(s, &a, &b);
    inner->rate = call_get_sample_rate(s, &rate);
    inner->can_rate = call_can_sample_rate(s, s->rate_hz);
    inner->position = call_get_sample_position(s, &position, &time);
    inner->info = call_get_channel_info(s, &info);
    inner->selector = call_future(s, 0x7ffffff0, NULL, 0);
}

static void
questions_are_answered_within_a_callback(struct conform *t)
{
    struct inner inner = {.channels = 1};
    struct subject *s = subject_in(t, PREPARED);

    if (!s) {
        return;
    }
    s->host.user = &inner;
    s->host.on_block = ask_from_within;
    if (subject_stream(s, 4)) {
        const struct {
            const char *name;
            int32_t answer, right;
        } answers[] = {
            {"getChannels", inner.channels, ASIO_OK},
            {"getLatencies", inner.latencies, ASIO_OK},
            {"getSampleRate", inner.rate, ASIO_OK},
            {"canSampleRate", inner.can_rate, ASIO_OK},
            {"getSamplePosition", inner.position, ASIO_OK},
            {"getChannelInfo", inner.info, ASIO_OK},
            {"future", inner.selector, ASIO_INVALID_PARAMETER},
        };
        for (unsigned i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
            conform_expect(t, answers[i].answer == answers[i].right,
                           "%s answered %s within bufferSwitch", answers[i].name,
                           conform_error_text(answers[i].answer));
        }
    }
    subject_close(s);
}

static const struct conform_case cases[] = {
    {"created_with_its_clsid_as_interface",
     "CoCreateInstance with the driver's CLSID as class and as interface gives an object with 24 "
     "methods",
     "NAudio, AsioDriver.cs: InitFromGuid; JUCE, juce_ASIO_windows.cpp: loadDriver",
     created_with_its_clsid_as_interface, 0, 0},
    {"query_interface_answers_its_clsid_and_unknown",
     "QueryInterface gives the object for its own CLSID and for IUnknown", "COM, IUnknown",
     query_interface_answers_its_clsid_and_unknown, 0, 0},
    {"query_interface_refuses_what_it_is_not",
     "QueryInterface answers E_NOINTERFACE and NULL for any other interface", "COM, IUnknown",
     query_interface_refuses_what_it_is_not, 0, 0},
    {"references_are_counted", "AddRef and Release answer the number of references",
     "COM, IUnknown; tutti/asio.h", references_are_counted, 0, 0},
    {"created_and_released_a_hundred_times",
     "An object that is created and released without init leaves nothing behind that hurts",
     "RtAudio, RtAudio.cpp: probeDevices and PortAudio, pa_asio.cpp: PaAsio_Initialize load each "
     "driver, at each look",
     created_and_released_a_hundred_times, 0, 30},
    {"initialised_and_released_many_times",
     "An object that is initialised and released leaves nothing behind that hurts",
     "PortAudio, pa_asio.cpp: PaAsio_Initialize loads all drivers that are registered",
     initialised_and_released_many_times, NEED_INIT, 60},
    {"init_is_quick", "init answers within 5 s",
     "PortAudio, pa_asio.cpp: PaAsio_Initialize initialises all drivers; ModernMube/OwnAudioSharp, "
     "issue 21 (one driver keeps the list waiting)",
     init_is_quick, NEED_INIT, 0},
    {"init_answers_1", "init answers 1 when it succeeds",
     "NAudio, AsioDriver.cs: Init compares with 1", init_answers_1, NEED_INIT, 0},
    {"two_instances_live_side_by_side",
     "A second object in the same process works or says why not, and the first one goes on",
     "dechamps/FlexASIO, issues 183 and 230; eiz/SynchronousAudioRouter, issue 133 (a second "
     "object while the first one runs)",
     two_instances_live_side_by_side, NEED_INIT, 0},
    {"unloaded_and_loaded_again",
     "When nothing is left of it COM may unload the driver's DLL, and it works when loaded again",
     "COM, DllCanUnloadNow", unloaded_and_loaded_again, NEED_STREAM, 30},
    {"released_in_each_state", "The last Release stops, disposes and frees, in any state",
     "COM, IUnknown; JUCE, juce_ASIO_windows.cpp: openDevice makes buffers that nobody disposes of "
     "before Release",
     released_in_each_state, NEED_STREAM, 30},
    {"works_in_a_multithreaded_apartment", "The driver works when COM is multi-threaded",
     "naudio/NAudio, issues 481 and 843 (a service; a console program without STAThread)",
     works_in_a_multithreaded_apartment, NEED_STREAM, 0},
    {"works_in_a_silent_single_threaded_apartment",
     "The driver needs no window messages to be pumped by the thread that made it",
     "RtAudio, RtAudio.cpp: RtApiAsio makes its thread's apartment and pumps nothing",
     works_in_a_silent_single_threaded_apartment, NEED_STREAM, 0},
    {"threads_may_take_turns",
     "The object may be created, started and stopped by different threads",
     "RtAudio, RtAudio.cpp: asioStopStream stops and closes on a thread of its own",
     threads_may_take_turns, NEED_STREAM, 30},
    {"many_threads_may_ask_at_once", "Questions from several threads at once are answered rightly",
     "eiz/SynchronousAudioRouter, issue 133 (nothing forbids it); dechamps/FlexASIO, commit "
     "85fbf60 (getSamplePosition during a callback)",
     many_threads_may_ask_at_once, NEED_STREAM, 0},
    {"questions_are_answered_within_a_callback", "A callback may ask the driver anything",
     "PortAudio, pa_asio.cpp: bufferSwitch asks getSamplePosition; NAudio, AsioDriverExt.cs: "
     "TryGetSamplePosition",
     questions_are_answered_within_a_callback, NEED_STREAM, 0},
};

const struct conform_group conform_group_interface_object = {
    "interface", "the methods, called one by one", cases, sizeof(cases) / sizeof(*cases)};
