/* SPDX-License-Identifier: MIT */
/*
 * The one list of defects. Each breaks one rule; TUTTI_DEFECT=name switches one on.
 *
 *     X(name, what is wrong, processor on which it can be seen, the case that must catch it)
 */
#ifndef TUTTI_TESTS_BROKEN_DEFECTS_H
#define TUTTI_TESTS_BROKEN_DEFECTS_H

#define DEFECTS_TABLE(X)                                                                           \
    /* COM */                                                                                      \
    X(unknown_denied, "QueryInterface denies IUnknown", ANY, "")                                   \
    X(any_interface, "QueryInterface grants every interface", ANY, "")                             \
    X(query_leaves_pointer, "QueryInterface leaves the pointer as it was when it refuses", ANY,    \
      "")                                                                                          \
    X(query_null_crash, "QueryInterface writes through a NULL pointer", ANY, "")                   \
    X(query_uncounted, "QueryInterface does not count the reference after init", ANY, "")          \
    X(references_wrong, "AddRef and Release answer one too many", ANY, "")                         \
    X(release_never_zero, "the last Release answers 1", ANY, "")                                   \
    X(release_leaves_running, "the last Release frees the object and leaves its thread running",   \
      ANY, "")                                                                                     \
    X(object_leaks, "the object's memory is not freed", ANY, "")                                   \
    X(never_unloads, "DllCanUnloadNow never says yes", ANY, "")                                    \
    X(unloads_alive, "DllCanUnloadNow says yes while an object lives", ANY, "")                    \
    X(aggregates, "the class factory takes an outer object", ANY, "")                              \
    X(exit_hangs, "the module waits for its threads when the process ends with an object alive",   \
      ANY, "")                                                                                     \
    X(pops_wrong, "getChannels pops four bytes too many", X86, "")                                 \
    /* init and texts */                                                                           \
    X(needs_sta, "init works in a single-threaded apartment only", ANY, "")                        \
    X(init_shows_window, "init opens a window", ANY, "")                                           \
    X(init_needs_window, "init fails without the host's window", ANY, "")                          \
    X(init_slow, "init takes six seconds", ANY, "")                                                \
    X(init_silent, "init fails and says nothing", ANY, "")                                         \
    X(init_exclusive, "init takes the device away from other programs", ANY, "")                   \
    X(init_exclusive_process, "init takes the device away from other objects of the program", ANY, \
      "")                                                                                          \
    X(init_answers_ok, "init answers 0 when it worked", ANY, "")                                   \
    X(init_twice_crash, "a second init crashes", ANY, "")                                          \
    X(init_twice_hangs, "a second init never returns", ANY, "")                                    \
    X(works_before_init, "calls are answered as if init had been called", ANY, "")                 \
    X(name_differs, "getDriverName is not the name in the registry", ANY, "")                      \
    X(name_overrun, "getDriverName writes a byte beyond its 32", ANY, "")                          \
    X(name_unterminated, "getDriverName fills all 32 bytes without an end", ANY, "")               \
    X(name_not_ascii, "getDriverName has a byte that is not ASCII", ANY, "")                       \
    X(version_zero, "getDriverVersion is 0", ANY, "")                                              \
    X(error_too_long, "getErrorMessage writes beyond its 124 bytes", ANY, "")                      \
    X(error_unterminated, "getErrorMessage fills all 124 bytes without an end", ANY, "")           \
    X(error_empty, "getErrorMessage is empty after a failure", ANY, "")                            \
    X(panel_blocks, "controlPanel does not return", ANY, "")                                       \
    X(panel_shows_window, "controlPanel answers NotPresent and opens a window", ANY, "")           \
    X(panel_strange_answer, "controlPanel answers 17", ANY, "")                                    \
    X(second_panel_crash, "a second controlPanel crashes", ANY, "")                                \
    /* channels */                                                                                 \
    X(channels_overrun, "getChannels writes beyond the number of inputs", ANY, "")                 \
    X(channels_null_crash, "getChannels writes through a NULL pointer", ANY, "")                   \
    X(channels_negative, "getChannels tells -1 outputs", ANY, "")                                  \
    X(channels_vary, "getChannels tells one output less while there are buffers", ANY, "")         \
    X(channel_name_overrun, "getChannelInfo writes beyond the channel's name", ANY, "")            \
    X(channel_name_unterminated, "a channel's name fills all 32 bytes without an end", ANY, "")    \
    X(channel_name_empty, "channels have no names", ANY, "")                                       \
    X(channel_info_null_crash, "getChannelInfo reads through a NULL pointer", ANY, "")             \
    X(channel_info_echo_wrong, "getChannelInfo changes the channel's number to 0", ANY, "")        \
    X(channel_negative_accepted, "getChannelInfo knows channel -1", ANY, "")                       \
    X(channel_beyond_accepted, "getChannelInfo knows channels beyond the last", ANY, "")           \
    X(active_stale, "isActive stays true after disposeBuffers", ANY, "")                           \
    X(active_late, "isActive is true only when callbacks come", ANY, "")                           \
    X(active_always, "isActive is always true", ANY, "")                                           \
    X(group_negative, "channels are in group -7", ANY, "")                                         \
    X(type_unknown, "channels have samples of type 77", ANY, "")                                   \
    X(type_varies, "getChannelInfo tells a type for some channels that they do not have", ANY, "") \
    /* sizes */                                                                                    \
    X(sizes_null_crash, "getBufferSize writes through a NULL pointer", ANY, "")                    \
    X(min_zero, "the smallest buffer is 0", ANY, "")                                               \
    X(min_above_max, "the smallest buffer is greater than the largest", ANY, "")                   \
    X(preferred_outside, "the preferred buffer is greater than the largest", ANY, "")              \
    X(preferred_off_grid, "the preferred buffer is not on the granularity", ANY, "")               \
    X(granularity_strange, "the granularity is -2", ANY, "")                                       \
    X(granularity_with_one_size, "one size only, and a granularity that is not 0", ANY, "")        \
    /* latencies */                                                                                \
    X(latency_needs_buffers, "getLatencies fails before createBuffers", ANY, "")                   \
    X(latency_null_crash, "getLatencies writes through a NULL pointer", ANY, "")                   \
    X(latency_zero, "latencies are 0", ANY, "")                                                    \
    X(latency_negative, "the input latency is negative", ANY, "")                                  \
    X(latency_huge, "the output latency is half an hour", ANY, "")                                 \
    X(latency_changes_at_start, "the latencies change untold with start", ANY, "")                 \
    X(latency_short_by_buffer, "the output latency leaves the buffer out", ANY, "")                \
    X(latency_short_by_converters, "the output latency leaves the converters out", ANY, "")        \
    X(latency_of_preferred, "the latencies are those of the preferred size, whatever was created", \
      ANY, "")                                                                                     \
    /* rates */                                                                                    \
    X(rate_nan_accepted, "a rate of NaN is accepted", ANY, "")                                     \
    X(rate_zero_accepted, "a rate of 0 is accepted", ANY, "")                                      \
    X(rate_negative_accepted, "a negative rate is accepted", ANY, "")                              \
    X(rate_infinity_accepted, "an infinite rate is accepted", ANY, "")                             \
    X(rate_huge_accepted, "a rate of ten million is accepted", ANY, "")                            \
    X(can_yes_set_no, "canSampleRate says yes to a rate that setSampleRate refuses", ANY, "")      \
    X(can_no_set_yes, "canSampleRate says no to a rate that setSampleRate takes", ANY, "")         \
    X(can_changes_rate, "canSampleRate changes the rate", ANY, "")                                 \
    X(can_refused_while_running, "canSampleRate fails while there are buffers", ANY, "")           \
    X(rate_refused_oddly, "a rate is refused with 42", ANY, "")                                    \
    X(rate_null_crash, "getSampleRate writes through a NULL pointer", ANY, "")                     \
    X(rate_read_back_differs, "getSampleRate tells half a hertz more than was set", ANY, "")       \
    X(rate_zero_told, "getSampleRate tells 0", ANY, "")                                            \
    X(rate_refused_but_changed, "setSampleRate refuses a rate and takes it", ANY, "")              \
    X(rate_set_ignored, "setSampleRate answers OK and changes nothing", ANY, "")                   \
    X(rate_forgotten, "the next object does not know the rate that was set", ANY, "")              \
    X(same_rate_announced, "sampleRateDidChange tells the rate that the host runs at", ANY, "")    \
    /* clocks */                                                                                   \
    X(clocks_null_crash, "getClockSources reads through a NULL pointer", ANY, "")                  \
    X(clocks_ignore_room, "getClockSources writes a clock where room for none was offered", ANY,   \
      "")                                                                                          \
    X(clocks_overrun, "getClockSources writes a clock beyond the room offered", ANY, "")           \
    X(clocks_count_zero, "getClockSources counts no clock", ANY, "")                               \
    X(clock_none_current, "no clock is current", ANY, "")                                          \
    X(clock_name_unterminated, "a clock's name fills all 32 bytes without an end", ANY, "")        \
    X(clock_refused, "setClockSource refuses the current clock", ANY, "")                          \
    X(clock_any_accepted, "setClockSource takes a clock that does not exist", ANY, "")             \
    /* future */                                                                                   \
    X(future_not_present, "future answers NotPresent before init", ANY, "")                        \
    X(future_unknown_success, "future answers SUCCESS to what it does not know", ANY, "")          \
    X(future_unknown_not_present, "future answers NotPresent to what it does not know", ANY, "")   \
    X(future_answers_ok, "future answers 0 in place of SUCCESS", ANY, "")                          \
    X(future_null_crash, "future writes through a NULL parameter", ANY, "")                        \
    X(can_without_doing, "future says that it can set gains, and cannot", ANY, "")                 \
    X(format_get_invalid, "future tells an invalid io format", ANY, "")                            \
    X(format_any_accepted, "future accepts the invalid io format", ANY, "")                        \
    X(internal_beyond_latency, "the internal buffers are larger than the latency", ANY, "")        \
    /* createBuffers */                                                                            \
    X(create_null_infos_crash, "createBuffers reads through NULL buffer infos", ANY, "")           \
    X(create_null_callbacks_crash, "createBuffers reads through NULL callbacks", ANY, "")          \
    X(create_null_switch_accepted, "createBuffers takes callbacks without bufferSwitch", ANY, "")  \
    X(create_no_channels_accepted, "createBuffers takes no channels", ANY, "")                     \
    X(create_negative_count_accepted, "createBuffers takes -1 channels", ANY, "")                  \
    X(create_bad_channel_accepted, "createBuffers takes a channel that does not exist", ANY, "")   \
    X(create_zero_frames_accepted, "createBuffers takes buffers of 0 frames", ANY, "")             \
    X(create_negative_frames_accepted, "createBuffers takes buffers of negative size", ANY, "")    \
    X(create_small_frames_accepted, "createBuffers takes sizes below the smallest", ANY, "")       \
    X(create_huge_frames_accepted, "createBuffers takes sizes above the largest", ANY, "")         \
    X(create_off_grid_accepted, "createBuffers takes sizes off the granularity", ANY, "")          \
    X(create_min_refused, "createBuffers refuses the smallest size", ANY, "")                      \
    X(create_preferred_only, "createBuffers refuses all sizes but the preferred one", ANY, "")     \
    X(create_twice_accepted, "createBuffers replaces the buffers that are in use", ANY, "")        \
    X(create_outputs_first_refused, "createBuffers refuses outputs before inputs", ANY, "")        \
    X(create_needs_input, "createBuffers refuses outputs alone", ANY, "")                          \
    X(create_duplicates_share, "a channel that is asked for twice gets one buffer", ANY, "")       \
    X(create_writes_input_fields, "createBuffers changes the channel numbers of the infos", ANY,   \
      "")                                                                                          \
    X(failed_create_sticks, "after a refused createBuffers every other one is refused", ANY, "")   \
    X(infos_overrun, "createBuffers writes beyond the infos", ANY, "")                             \
    X(buffers_overlap, "the buffers of two channels overlap", ANY, "")                             \
    X(buffers_unaligned, "buffers are not aligned to a sample", ANY, "")                           \
    X(halves_same, "both halves of a buffer are the same memory", ANY, "")                         \
    X(second_half_null, "the second half of each buffer is NULL", ANY, "")                         \
    X(keeps_callbacks, "the host's callbacks struct is used after createBuffers", ANY, "")         \
    X(null_message_crash, "a NULL asioMessage is called", ANY, "")                                 \
    X(time_info_null_called, "a NULL bufferSwitchTimeInfo is called", ANY, "")                     \
    X(time_info_though_declined, "bufferSwitchTimeInfo is called though the host declined", ANY,   \
      "")                                                                                          \
    X(time_info_never, "bufferSwitch is called though the host wants bufferSwitchTimeInfo", ANY,   \
      "")                                                                                          \
    X(create_leaks_memory, "each createBuffers leaks a megabyte", ANY, "")                         \
    X(thread_leaks, "each createBuffers leaks a thread", ANY, "")                                  \
    /* states */                                                                                   \
    X(start_unprepared_accepted, "start answers OK without buffers", ANY, "")                      \
    X(start_twice_accepted, "start answers OK while it runs, and begins anew", ANY, "")            \
    X(start_leaks_handle, "each start leaks a handle", ANY, "")                                    \
    X(restart_fails, "a second start fails", ANY, "")                                              \
    X(restart_keeps_position, "the position goes on after stop and start", ANY, "")                \
    X(restart_keeps_index, "the first half after a restart is the one that was next", ANY, "")     \
    X(stop_idle_accepted, "stop answers OK when nothing runs", ANY, "")                            \
    X(stop_hangs, "stop does not return", ANY, "")                                                 \
    X(stop_slow, "stop takes two and a half seconds", ANY, "")                                     \
    X(stop_strange_answer, "stop answers 1", ANY, "")                                              \
    X(stop_returns_early, "stop returns while a callback runs", ANY, "")                           \
    X(stop_in_callback_deadlocks, "stop never returns within a callback", ANY, "")                 \
    X(dispose_idle_accepted, "disposeBuffers answers OK without buffers", ANY, "")                 \
    X(dispose_twice_crash, "a second disposeBuffers crashes", ANY, "")                             \
    X(dispose_in_callback_deadlocks, "disposeBuffers and Release never return within a callback",  \
      ANY, "")                                                                                     \
    X(dispose_in_callback_frees, "disposeBuffers within a callback takes the memory away at once", \
      ANY, "")                                                                                     \
    X(position_idle_accepted, "getSamplePosition answers OK when nothing runs", ANY, "")           \
    X(position_before_block, "getSamplePosition answers OK before the first block", ANY, "")       \
    X(position_null_crash, "getSamplePosition writes through a NULL pointer", ANY, "")             \
    X(output_ready_hangs, "outputReady does not return while it runs", ANY, "")                    \
    X(output_ready_strange_answer, "outputReady answers 1", ANY, "")                               \
    X(output_ready_gains_nothing, "outputReady answers OK and lowers no latency", ANY, "")         \
    /* callbacks */                                                                                \
    X(calls_before_start, "a callback comes before start", ANY, "")                                \
    X(calls_after_stop, "callbacks go on after stop", ANY, "")                                     \
    X(calls_stop, "callbacks stop after twelve blocks", ANY, "")                                   \
    X(calls_twice, "each eighth block is called twice", ANY, "")                                   \
    X(calls_overlap, "a callback begins before the last one has returned", ANY, "")                \
    X(two_threads, "callbacks come from two threads", ANY, "")                                     \
    X(first_call_late, "the first callback comes four seconds after start", ANY, "")               \
    X(jitter, "each third callback comes most of a period late", ANY, "")                          \
    X(stalls, "each 64th callback comes 120 ms late", ANY, "")                                     \
    X(rate_off, "the card runs one per cent slow", ANY, "")                                        \
    X(direct_garbage, "directProcess is 77", ANY, "")                                              \
    X(halves_not_zeroed, "the halves hold noise at start", ANY, "")                                \
    X(index_sticks, "the index is always 0", ANY, "")                                              \
    X(index_begins_at_one, "the first index is 1", ANY, "")                                        \
    X(takes_wrong_half, "the output is taken from the other half", ANY, "")                        \
    X(position_first_not_zero, "the first position is not 0", ANY, "")                             \
    X(position_not_aligned, "positions are not a multiple of the buffer", ANY, "")                 \
    X(position_jumps_back, "the position jumps back once", ANY, "")                                \
    X(position_stands, "the position stands still after eight blocks", ANY, "")                    \
    X(position_drifts, "the position grows one per cent faster than the time", ANY, "")            \
    X(position_asked_differs, "getSamplePosition and the time info differ", ANY, "")               \
    X(halves_swapped, "64-bit numbers have their low half first", ANY, "")                         \
    X(time_in_ms, "the time is in milliseconds", ANY, "")                                          \
    X(time_steps_back, "the time steps back once", ANY, "")                                        \
    X(time_other_scale, "the time is an hour ahead of timeGetTime", ANY, "")                       \
    X(time_uneven, "the time jumps about by up to three milliseconds", ANY, "")                    \
    X(time_zero, "the time is always 0", ANY, "")                                                  \
    X(time_beyond_148, "bytes beyond the 148 of the time are written", ANY, "")                    \
    X(info_flags_missing, "the time info says that nothing in it is valid", ANY, "")               \
    X(info_rate_wrong, "the time info tells another rate", ANY, "")                                \
    X(info_null, "bufferSwitchTimeInfo gets NULL", ANY, "")                                        \
    X(info_answer_needed, "the answer of bufferSwitchTimeInfo is read without a look at it", ANY,  \
      "")                                                                                          \
    /* sound */                                                                                    \
    X(cable_crossed, "inputs 1 and 2 are swapped", ANY, "")                                        \
    X(cable_adds_noise, "there is noise on the inputs", ANY, "")                                   \
    X(cable_repeats, "the second half of each input block repeats the first", ANY, "")             \
    /* the host misbehaves, or must be told */                                                     \
    X(reset_never_asked, "a new rate that needs new buffers is taken without a reset request",     \
      ANY, "")                                                                                     \
    X(reset_in_callback_thread, "the reset request comes on the thread of the callbacks", ANY, "") \
    X(stops_after_reset, "callbacks stop after a reset request", ANY, "")                          \
    X(overload_untold, "a lost block is not told", ANY, "")                                        \
    X(never_skips, "a late host gets all lost blocks at once", ANY, "")                            \
    X(skips_untold, "blocks are lost and the position does not tell", ANY, "")                     \
    X(late_crash, "a callback 20 ms late crashes the driver", ANY, "")                             \
    X(late_ends, "a callback 20 ms late ends the stream", ANY, "")

enum defect {
    DEFECT_none,
#define DEFECT_ID(name, wrong, processor, caught_by) DEFECT_##name,
    DEFECTS_TABLE(DEFECT_ID)
#undef DEFECT_ID
};

#endif
