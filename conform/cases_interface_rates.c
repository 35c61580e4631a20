/* SPDX-License-Identifier: MIT */
/* Group interface, sample rates, and pointers and windows that are not what they should be. */
#include "conform/inside.h"
#include "conform/rates.h"

#include <math.h>
#include <string.h>

/* ---- rates ---- */

static void
accepted_rates_can_be_set_and_read_back(struct conform *t)
{
    struct subject *s = subject_open(t);
    unsigned accepted = 0;

    if (!s) {
        return;
    }
    for (unsigned i = 0; i < RATES; i++) {
        if (call_can_sample_rate(s, rates_hz[i]) != ASIO_OK) {
            continue;
        }
        double read = 0;
        accepted++;
        int32_t set = call_set_sample_rate(s, rates_hz[i]), got = call_get_sample_rate(s, &read);
        conform_expect(t, set == ASIO_OK && got == ASIO_OK && read == rates_hz[i],
                       "%g Hz was accepted; setSampleRate answered %s, getSampleRate %g",
                       rates_hz[i], conform_error_text(set), read);
    }
    call_set_sample_rate(s, s->rate_hz);
    conform_figure(t, accepted, "rates");
    conform_expect(t, accepted > 0, "not one of the usual rates is accepted");
    subject_close(s);
}

static void
refused_rates_change_nothing(struct conform *t)
{
    struct subject *s = subject_open(t);

    if (!s) {
        return;
    }
    for (unsigned i = 0; i < RATES; i++) {
        double read = 0;
        if (call_can_sample_rate(s, rates_hz[i]) == ASIO_OK) {
            continue;
        }
        int32_t set = call_set_sample_rate(s, rates_hz[i]);
        call_get_sample_rate(s, &read);
        conform_expect(t, set != ASIO_OK, "canSampleRate refused %g Hz, setSampleRate took it",
                       rates_hz[i]);
        conform_expect(t, read == s->rate_hz, "after a refusal of %g Hz the rate is %g, not %g",
                       rates_hz[i], read, s->rate_hz);
    }
    subject_close(s);
}

/* Each rate as this object answers for it while another one plays. */
static void
ask_beside(struct subject *s)
{
    double before = 0;

    for (unsigned i = 0; i < RATES; i++) {
        call_get_sample_rate(s, &before);
        int32_t can = call_can_sample_rate(s, rates_hz[i]);
        int32_t set = call_set_sample_rate(s, rates_hz[i]);
        conform_expect(s->t, (can == ASIO_OK) == (set == ASIO_OK),
                       "while another object plays, %g Hz were answered %s by canSampleRate, %s by "
                       "setSampleRate",
                       rates_hz[i], conform_error_text(can), conform_error_text(set));
        if (set == ASIO_OK) {
            call_set_sample_rate(s, before);
        }
    }
}

static void
can_and_set_sample_rate_agree_beside_another_object(struct conform *t)
{
    struct subject *player = subject_in(t, RUNNING);
    struct subject *s = player ? subject_open(t) : NULL;

    if (s) {
        ask_beside(s);
        if (subject_prepare(s, 2, 2, 0)) {
            ask_beside(s);
        }
    }
    subject_close(s);
    subject_close(player);
}

static void
impossible_rates_are_refused(struct conform *t)
{
    const double wrong[] = {
        -1, -44100, 1, 1e7, 1e300, (double)NAN, (double)INFINITY, -(double)INFINITY};
    struct subject *s = subject_open(t);

    if (!s) {
        return;
    }
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        double read = 0;
        int32_t can = call_can_sample_rate(s, wrong[i]), set = call_set_sample_rate(s, wrong[i]);
        call_get_sample_rate(s, &read);
        conform_expect(t, can != ASIO_OK && set != ASIO_OK,
                       "a rate of %g was answered %s by canSampleRate, %s by setSampleRate",
                       wrong[i], conform_error_text(can), conform_error_text(set));
        conform_expect(t, read == s->rate_hz, "after a rate of %g getSampleRate says %g", wrong[i],
                       read);
    }
    subject_close(s);
}

static void
a_refused_rate_is_answered_with_noclock(struct conform *t)
{
    static const double odd[] = {12345, 47999, 3000000};
    struct subject *s = subject_open(t);

    if (!s) {
        return;
    }
    for (unsigned i = 0; i < RATES + sizeof(odd) / sizeof(*odd); i++) {
        double rate = i < RATES ? rates_hz[i] : odd[i - RATES];
        int32_t answer = call_can_sample_rate(s, rate);
        conform_expect(t, answer == ASIO_OK || answer == ASIO_NO_CLOCK,
                       "canSampleRate(%g) answered %s, neither OK nor NoClock", rate,
                       conform_error_text(answer));
    }
    subject_close(s);
}

static void
rate_zero_is_answered(struct conform *t)
{
    /* 0 may mean an external clock; whatever is said, the driver works afterwards */
    struct subject *s = subject_open(t);
    double read = 0;

    if (!s) {
        return;
    }
    int32_t can = call_can_sample_rate(s, 0);
    if (can != ASIO_OK) {
        conform_expect(t, call_set_sample_rate(s, 0) != ASIO_OK,
                       "canSampleRate refused 0, setSampleRate took it");
    }
    call_get_sample_rate(s, &read);
    conform_expect(t, can == ASIO_OK || read == s->rate_hz, "after a rate of 0 the rate is %g",
                   read);
    call_set_sample_rate(s, s->rate_hz);
    if (subject_prepare(s, 2, 2, 0)) {
        subject_stream(s, 2);
    }
    subject_close(s);
}

static void
a_rate_survives_the_instance(struct conform *t)
{
    struct subject *s = subject_open(t);
    double before = s ? s->rate_hz : 0, other = 0, found = 0;

    if (!s) {
        return;
    }
    other = rates_other(s);
    if (other > 0 && call_set_sample_rate(s, other) != ASIO_OK) {
        other = 0;
    }
    subject_close(s);
    if (other == 0) {
        conform_skip(t, "the device has one rate only");
        return;
    }
    s = subject_open(t);
    if (s) {
        found = s->rate_hz;
        call_set_sample_rate(s, before);
    }
    conform_expect(t, found == other, "set to %g Hz, released, created again: %g Hz", other, found);
    subject_close(s);
}

static void
can_sample_rate_is_answered_while_it_runs(struct conform *t)
{
    struct subject *s = subject_open(t);
    bool before[RATES];

    if (!s) {
        return;
    }
    for (unsigned i = 0; i < RATES; i++) {
        before[i] = call_can_sample_rate(s, rates_hz[i]) == ASIO_OK;
    }
    if (subject_prepare(s, 2, 2, 0) && subject_stream(s, 2)) {
        for (unsigned i = 0; i < RATES; i++) {
            bool now = call_can_sample_rate(s, rates_hz[i]) == ASIO_OK;
            conform_expect(t, now || !before[i] || rates_hz[i] != s->rate_hz,
                           "canSampleRate(%g) is refused while it runs at it", rates_hz[i]);
        }
        uint32_t seen = atomic_load(&s->host.block_count);
        conform_expect(t, host_wait(&s->host, seen + 2, 3000),
                       "callbacks ceased when rates were asked for");
    }
    subject_close(s);
}

/* ---- NULL ---- */

static void
null_pointers_are_answered(struct conform *t)
{
    struct subject *s = subject_in(t, RUNNING);
    int32_t a = 0, b = 0, c = 0;
    uint64_t value;

    if (!s) {
        return;
    }
    call_get_channels(s, NULL, NULL);
    call_get_channels(s, &a, NULL);
    call_get_latencies(s, NULL, NULL);
    call_get_latencies(s, NULL, &a);
    call_get_buffer_size(s, NULL, NULL, NULL, NULL);
    call_get_buffer_size(s, &a, &b, &c, NULL);
    call_get_sample_rate(s, NULL);
    call_get_clock_sources(s, NULL, &a);
    call_get_clock_sources(s, NULL, NULL);
    call_get_sample_position(s, NULL, NULL);
    call_get_sample_position(s, &value, NULL);
    int32_t info = call_get_channel_info(s, NULL);
    conform_expect(t, info != ASIO_OK, "getChannelInfo without a struct answered OK");
    conform_expect(t, call_get_channels(s, &a, &b) == ASIO_OK && a == s->inputs,
                   "after NULL pointers getChannels answers wrongly");
    subject_close(s);
}

static void
future_takes_null(struct conform *t)
{
    static const int32_t selectors[] = {
        ASIO_FUTURE_SET_IO_FORMAT,     ASIO_FUTURE_GET_IO_FORMAT,
        ASIO_FUTURE_CAN_DO_IO_FORMAT,  ASIO_FUTURE_GET_INTERNAL_BUFFER_SAMPLES,
        ASIO_FUTURE_SET_INPUT_MONITOR, ASIO_FUTURE_TRANSPORT,
        ASIO_FUTURE_SET_INPUT_GAIN,    ASIO_FUTURE_GET_INPUT_METER,
        ASIO_FUTURE_SET_OUTPUT_GAIN,   ASIO_FUTURE_GET_OUTPUT_METER};
    struct subject *s = subject_open(t);

    if (!s) {
        return;
    }
    for (unsigned i = 0; i < sizeof(selectors) / sizeof(*selectors); i++) {
        int32_t answer = call_future(s, selectors[i], NULL, 0);
        conform_expect(t, answer != ASIO_SUCCESS,
                       "future(%#x) needs a struct, got NULL and answered SUCCESS",
                       (unsigned)selectors[i]);
    }
    subject_close(s);
}

/* ---- windows ---- */

static void
any_window_will_do(struct conform *t)
{
    HWND real = CreateWindowExW(0, L"STATIC", L"host", 0, 0, 0, 10, 10, NULL, NULL, NULL, NULL);
    void *const windows[] = {NULL, (void *)(uintptr_t)0xdeadbeef, GetDesktopWindow(), real};

    for (unsigned i = 0; i < sizeof(windows) / sizeof(*windows); i++) {
        struct subject *s = subject_create(t);
        if (!s) {
            break;
        }
        bool first = call_init(s, windows[i]) != 0;
        conform_expect(t, first, "init with %s failed",
                       i == 0   ? "no window"
                       : i == 1 ? "a window that is none"
                       : i == 2 ? "the desktop as window"
                                : "a window");
        if (first && windows[i] == real && real) {
            /* as when a host closes its settings first */
            DestroyWindow(real);
            real = NULL;
        }
        subject_close(s);
    }
    if (real) {
        DestroyWindow(real);
    }
}

static DWORD WINAPI
open_panel(void *arg)
{
    struct subject *s = arg;

    CoInitializeEx(NULL, COINIT_APARTMENTTHREADED);
    int32_t answer = s->asio->methods->control_panel(s->asio);
    CoUninitialize();
    return (DWORD)answer;
}

static BOOL CALLBACK
close_window(HWND window, LPARAM process)
{
    DWORD owner = 0;

    GetWindowThreadProcessId(window, &owner);
    if (owner == (DWORD)process && IsWindowVisible(window)) {
        PostMessageW(window, WM_CLOSE, 0, 0);
    }
    return TRUE;
}

/* True: controlPanel came back; windows that it shows are closed, as a user would. */
static bool
panel_returns(struct subject *s, DWORD *answer)
{
    enum { PATIENCE_MS = 15000, STEP_MS = 100 };
    HANDLE thread = CreateThread(NULL, 0, open_panel, s, 0, NULL);
    bool back = false;

    for (unsigned waited = 0; thread && !back && waited < PATIENCE_MS; waited += STEP_MS) {
        back = WaitForSingleObject(thread, STEP_MS) == WAIT_OBJECT_0;
        if (!back) {
            EnumWindows(close_window, (LPARAM)GetCurrentProcessId());
        }
    }
    if (back) {
        GetExitCodeThread(thread, answer);
    }
    if (thread) {
        CloseHandle(thread);
    }
    return back;
}

static void
the_control_panel_may_be_asked_for_in_any_state(struct conform *t)
{
    for (unsigned state = LOADED; state < SUBJECT_STATES; state++) {
        struct subject *s = subject_in(t, (enum subject_state)state);
        if (!s) {
            return;
        }
        for (unsigned times = 0; times < 2; times++) {
            DWORD answer = 0;
            if (!conform_expect(t, panel_returns(s, &answer),
                                "controlPanel in %s did not come back",
                                subject_state_names[state])) {
                subject_abandon(s);
                return;
            }
            int32_t error = (int32_t)answer;
            conform_expect(t,
                           error == ASIO_OK || error == ASIO_SUCCESS ||
                               (error >= ASIO_NOT_PRESENT && error <= ASIO_NO_MEMORY),
                           "controlPanel in %s answered %s", subject_state_names[state],
                           conform_error_text(error));
        }
        subject_close(s);
    }
}

static const struct conform_case cases[] = {
    {"accepted_rates_can_be_set_and_read_back",
     "A rate that canSampleRate accepts can be set and is read back identically",
     "JUCE, juce_ASIO_windows.cpp: updateSampleRates, setSampleRate",
     accepted_rates_can_be_set_and_read_back, NEED_INIT, 20},
    {"refused_rates_change_nothing",
     "setSampleRate refuses what canSampleRate refuses, and the rate stays", "tutti/asio.h",
     refused_rates_change_nothing, NEED_INIT, 0},
    {"can_and_set_sample_rate_agree_beside_another_object",
     "While another object plays, setSampleRate takes what canSampleRate accepts, and nothing else",
     "JUCE, juce_ASIO_windows.cpp: updateSampleRates, setSampleRate",
     can_and_set_sample_rate_agree_beside_another_object, NEED_STREAM, 20},
    {"impossible_rates_are_refused",
     "Negative, tiny, huge and infinite rates and NaN are refused, and the rate stays",
     "dechamps/FlexASIO, issue 135 (Audio Precision asks for NaN); our own rule: because what is "
     "no number, or no rate, has no answer but no",
     impossible_rates_are_refused, NEED_INIT, 0},
    {"a_refused_rate_is_answered_with_noclock", "canSampleRate answers OK or NoClock",
     "PortAudio, pa_asio.cpp: IsFormatSupported takes any other error for a yes; NAudio, "
     "AsioDriver.cs: CanSampleRate throws",
     a_refused_rate_is_answered_with_noclock, NEED_INIT, 0},
    {"rate_zero_is_answered",
     "A rate of 0 is refused or means the external clock, and does no harm",
     "PortAudio, pa_asio.cpp: ValidateAndSetSampleRate names 0 for an external clock",
     rate_zero_is_answered, NEED_STREAM, 0},
    {"a_rate_survives_the_instance",
     "A rate that was set is there when the driver is released and created again",
     "dechamps/FlexASIO, issue 31 (REW sets it in one object and plays in another)",
     a_rate_survives_the_instance, NEED_INIT, 0},
    {"can_sample_rate_is_answered_while_it_runs",
     "canSampleRate is answered while callbacks come, and disturbs nothing",
     "dechamps/FlexASIO, issue 66 (Max asks for all rates while there are buffers)",
     can_sample_rate_is_answered_while_it_runs, NEED_STREAM, 0},
    {"null_pointers_are_answered", "A NULL in place of an out-parameter is answered, not followed",
     "JUCE, juce_ASIO_windows.cpp: open passes NULL to future; our own rule: because a NULL is a "
     "mistake to tell, not one to end a session over",
     null_pointers_are_answered, NEED_STREAM, 0},
    {"future_takes_null", "future never answers SUCCESS to a NULL in place of a struct",
     "tutti/asio.h", future_takes_null, NEED_INIT, 0},
    {"any_window_will_do", "init takes no window, a wrong one and one that is gone later",
     "PortAudio, pa_asio.cpp: systemSpecific is the desktop's window; NULL from command lines",
     any_window_will_do, NEED_INIT, 0},
    {"the_control_panel_may_be_asked_for_in_any_state",
     "controlPanel answers in any state and twice, also before init",
     "dechamps/FlexASIO, issue 184; dechamps/ASIO401, issue 25 (before init)",
     the_control_panel_may_be_asked_for_in_any_state, NEED_STREAM, 60},
};

const struct conform_group conform_group_interface_rates = {"interface", NULL, cases,
                                                            sizeof(cases) / sizeof(*cases)};
