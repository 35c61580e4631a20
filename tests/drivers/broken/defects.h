/* SPDX-License-Identifier: MIT */
/*
 * The one list of defects. Each breaks one rule; TUTTI_DEFECT=name switches one on.
 *
 *     X(name, what is wrong, processor on which it can be seen, the cases that must catch it)
 *
 * The second table has the names under which the driver is registered besides its own.
 */
#ifndef TUTTI_TESTS_BROKEN_DEFECTS_H
#define TUTTI_TESTS_BROKEN_DEFECTS_H

#define DEFECTS_TABLE(X)                                                                           \
    /* COM */                                                                                      \
    X(unknown_denied, "QueryInterface denies IUnknown", ANY,                                       \
      "query_interface_answers_its_clsid_and_unknown")                                             \
    X(any_interface, "QueryInterface grants every interface", ANY,                                 \
      "query_interface_refuses_what_it_is_not")                                                    \
    X(query_leaves_pointer, "QueryInterface leaves the pointer as it was when it refuses", ANY,    \
      "query_interface_refuses_what_it_is_not")                                                    \
    X(slot_missing, "a slot of the virtual table is NULL", ANY,                                    \
      "created_with_its_clsid_as_interface")                                                       \
    X(references_wrong, "AddRef and Release answer one too many", ANY, "references_are_counted")   \
    X(release_never_zero, "the last Release answers 1", ANY,                                       \
      "released_in_each_state,references_are_counted")                                             \
    X(release_leaves_running, "the last Release frees the object and leaves its thread running",   \
      ANY, "released_in_each_state")                                                               \
    X(creations_limited, "the fifty-first object cannot be created", ANY,                          \
      "created_and_released_a_hundred_times")                                                      \
    X(inits_limited, "the thirteenth init of a process fails", ANY,                                \
      "initialised_and_released_many_times")                                                       \
    X(lives_limited, "the fourteenth object that had buffers is the last one that works", ANY,     \
      "whole_lives_one_after_the_other")                                                           \
    X(second_life_fails, "init fails once an object that had buffers was released", ANY,           \
      "juce_makes_another_object_after_a_reset")                                                   \
    X(objects_share_state, "the Release of one object takes the device from the others", ANY,      \
      "two_instances_live_side_by_side")                                                           \
    X(init_exclusive,                                                                              \
      "init takes the device from the other objects of the program, and never gives it back", ANY, \
      "live_opens_two_side_by_side_and_asks_rates_while_running")                                  \
    X(second_stream_stops_first, "a second stream of the program silences the first", ANY,         \
      "two_instances_stream_at_once")                                                              \
    X(exit_hangs, "the module waits for its threads when the process ends with an object alive",   \
      ANY, "a_process_that_releases_nothing_ends")                                                 \
    X(unloading_ends_process, "the process ends when the module is unloaded", ANY,                 \
      "unloaded_and_loaded_again")                                                                 \
    X(thread_outlives_module,                                                                      \
      "a thread ends after Release, and does not hold the module meanwhile", ANY,                  \
      "rocksmith_loads_the_module_without_com")                                                    \
    X(pops_wrong, "getChannels pops four bytes too many", X86,                                     \
      "methods_keep_the_stack_and_the_registers")                                                  \
    X(register_lost, "getDriverVersion spoils a register of its caller", ANY,                      \
      "methods_keep_the_stack_and_the_registers")                                                  \
    X(float_state_lost, "init leaves denormals switched off", ANY,                                 \
      "methods_keep_the_floating_point_state")                                                     \
    X(mark_of_creation, "the device stays taken when the process is killed that made an object",   \
      ANY, "killed_while_loaded")                                                                  \
    X(mark_of_init, "the device stays taken when the process is killed that called init", ANY,     \
      "killed_while_initialized")                                                                  \
    X(mark_of_buffers, "the device stays taken when the process is killed that had buffers", ANY,  \
      "killed_while_prepared")                                                                     \
    X(mark_of_start, "the device stays taken when the process is killed that played", ANY,         \
      "killed_while_running")                                                                      \
    /* apartments and threads */                                                                   \
    X(needs_sta, "init works in a single-threaded apartment only", ANY,                            \
      "works_in_a_multithreaded_apartment")                                                        \
    X(needs_main_sta, "init does not work in single-threaded apartments but the first", ANY,       \
      "works_in_a_silent_single_threaded_apartment")                                               \
    X(thread_bound, "stop works on the thread of init only", ANY, "threads_may_take_turns")        \
    X(not_thread_safe, "getLatencies fails while another thread asks", ANY,                        \
      "many_threads_may_ask_at_once")                                                              \
    X(questions_disturb, "getLatencies holds up the callbacks", ANY,                               \
      "questions_meanwhile_do_not_disturb")                                                        \
    X(deaf_in_callback, "getChannels fails within a callback", ANY,                                \
      "questions_are_answered_within_a_callback")                                                  \
    /* init and texts */                                                                           \
    X(init_minds_window, "init fails with a window that is none", ANY, "any_window_will_do")       \
    X(init_slow, "init takes more than five seconds", ANY, "init_is_quick")                        \
    X(init_silent, "init fails and says nothing", ANY, "a_refusal_leaves_a_reason")                \
    X(init_answers_minus_one, "init answers -1 when it worked", ANY, "init_answers_1")             \
    X(init_twice_crash, "a second init crashes", ANY, "init_in_each_state")                        \
    X(init_twice_hangs, "a second init never returns", ANY, "init_in_each_state")                  \
    X(init_twice_refused, "a second init answers 0", ANY, "init_in_each_state")                    \
    X(init_twice_disposes, "a second init disposes of the buffers", ANY, "init_in_each_state")     \
    X(works_before_init, "calls are answered as if init had been called", ANY,                     \
      "get_channels_in_each_state")                                                                \
    X(name_differs, "getDriverName is not the name in the registry", ANY,                          \
      "driver_name_is_the_registered_one")                                                         \
    X(name_overrun, "getDriverName writes a byte beyond its 32", ANY,                              \
      "nothing_is_written_beyond_an_out_parameter")                                                \
    X(name_unterminated, "getDriverName fills all 32 bytes without an end", ANY,                   \
      "driver_name_is_the_registered_one")                                                         \
    X(name_not_ascii, "getDriverName has a byte that is not ASCII", ANY,                           \
      "driver_name_is_the_registered_one")                                                         \
    X(registered_name_long, "the name in the registry has more than 31 letters", ANY,              \
      "driver_name_fits_31_characters")                                                            \
    X(registered_name_not_ascii, "the name in the registry has a letter that is not ASCII", ANY,   \
      "driver_name_fits_31_characters")                                                            \
    X(version_zero, "getDriverVersion is 0", ANY, "driver_version_is_steady")                      \
    X(error_too_long, "getErrorMessage writes beyond its 124 bytes", ANY,                          \
      "nothing_is_written_beyond_an_out_parameter")                                                \
    X(error_unterminated, "getErrorMessage fills all 124 bytes without an end", ANY,               \
      "error_message_is_bounded_in_each_state")                                                    \
    X(error_empty, "getErrorMessage is empty after a failure", ANY, "a_refusal_leaves_a_reason")   \
    X(panel_blocks, "controlPanel does not return", ANY,                                           \
      "the_control_panel_may_be_asked_for_in_any_state")                                           \
    X(panel_strange_answer, "controlPanel answers 17", ANY,                                        \
      "the_control_panel_may_be_asked_for_in_any_state")                                           \
    X(second_panel_crash, "a second controlPanel crashes", ANY, "two_panels_do_no_harm")           \
    /* channels */                                                                                 \
    X(channels_overrun, "getChannels writes beyond the number of inputs", ANY,                     \
      "nothing_is_written_beyond_an_out_parameter")                                                \
    X(channels_null_crash, "getChannels writes through a NULL pointer", ANY,                       \
      "null_pointers_are_answered")                                                                \
    X(channels_negative, "getChannels tells -1 outputs", ANY, "each_channel_describes_itself")     \
    X(channels_vary, "getChannels tells one output less while there are buffers", ANY,             \
      "juce_opens_probes_and_plays")                                                               \
    X(channel_name_overrun, "getChannelInfo writes beyond the channel's name", ANY,                \
      "nothing_is_written_beyond_an_out_parameter")                                                \
    X(channel_name_unterminated, "a channel's name fills all 32 bytes without an end", ANY,        \
      "each_channel_describes_itself")                                                             \
    X(channel_name_empty, "channels have no names", ANY, "each_channel_describes_itself")          \
    X(channel_info_null_crash, "getChannelInfo reads through a NULL pointer", ANY,                 \
      "null_pointers_are_answered")                                                                \
    X(channel_info_echo_wrong, "getChannelInfo changes the channel's number to 0", ANY,            \
      "each_channel_describes_itself")                                                             \
    X(channel_negative_accepted, "getChannelInfo knows channel -1", ANY,                           \
      "there_are_no_channels_beyond")                                                              \
    X(channel_beyond_accepted, "getChannelInfo knows channels beyond the last", ANY,               \
      "there_are_no_channels_beyond")                                                              \
    X(info_refused_while_running, "getChannelInfo fails while it runs", ANY,                       \
      "get_channel_info_in_each_state")                                                            \
    X(active_stale, "isActive stays true after disposeBuffers", ANY,                               \
      "channels_with_buffers_are_active")                                                          \
    X(active_late, "isActive is true only when callbacks come", ANY,                               \
      "channels_with_buffers_are_active")                                                          \
    X(active_always, "isActive is always true", ANY, "channels_with_buffers_are_active")           \
    X(group_negative, "channels are in group -7", ANY, "each_channel_describes_itself")            \
    X(type_unknown, "channels have samples of type 77", ANY, "each_channel_describes_itself")      \
    /* sizes */                                                                                    \
    X(sizes_null_crash, "getBufferSize writes through a NULL pointer", ANY,                        \
      "null_pointers_are_answered")                                                                \
    X(sizes_need_no_buffers, "getBufferSize fails while there are buffers", ANY,                   \
      "get_buffer_size_in_each_state")                                                             \
    X(min_zero, "the smallest buffer is 0", ANY, "buffer_sizes_are_consistent")                    \
    X(min_above_max, "the smallest buffer is greater than the largest", ANY,                       \
      "buffer_sizes_are_consistent")                                                               \
    X(preferred_outside, "the preferred buffer is greater than the largest", ANY,                  \
      "buffer_sizes_are_consistent")                                                               \
    X(preferred_off_grid, "the preferred buffer is not on the granularity", ANY,                   \
      "buffer_sizes_are_consistent")                                                               \
    X(granularity_strange, "the granularity is -2", ANY, "buffer_sizes_are_consistent")            \
    X(granularity_with_one_size, "one size only, and a granularity that is not 0", ANY,            \
      "buffer_sizes_are_consistent")                                                               \
    /* latencies */                                                                                \
    X(latency_needs_buffers, "getLatencies fails before createBuffers", ANY,                       \
      "get_latencies_in_each_state,naudio_reinitialises_the_same_object")                          \
    X(latency_null_crash, "getLatencies writes through a NULL pointer", ANY,                       \
      "null_pointers_are_answered")                                                                \
    X(latency_zero, "latencies are 0", ANY, "latencies_are_sensible")                              \
    X(latency_negative, "the input latency is negative", ANY, "latencies_are_sensible")            \
    X(latency_huge, "the output latency is half an hour", ANY, "latencies_are_sensible")           \
    X(latency_changes_at_start, "the latencies change untold with start", ANY,                     \
      "output_ready_is_answered_the_same_each_time")                                               \
    X(latency_short_by_buffer, "the output latency leaves the buffer out", ANY,                    \
      "latency_is_as_reported_at_each_buffer_size")                                                \
    X(latency_short_by_converters, "the output latency leaves the converters out", ANY,            \
      "latency_is_as_reported_at_each_buffer_size")                                                \
    X(latency_of_preferred, "the latencies are those of the preferred size, whatever was created", \
      ANY, "latency_is_as_reported_at_each_buffer_size")                                           \
    X(latency_ignores_rate, "the latencies are right at 48 kHz only", ANY,                         \
      "latency_is_as_reported_at_each_rate")                                                       \
    X(latency_varies, "each start has another latency", ANY,                                       \
      "latency_is_the_same_after_each_start")                                                      \
    X(latency_of_large_ignores_rate,                                                               \
      "the latency with the largest buffer is right at 48 kHz only", ANY,                          \
      "latency_is_as_reported_at_each_size_and_rate")                                              \
    X(takes_at_return, "a block is taken when its callback returns", ANY,                          \
      "what_is_written_before_the_next_callback_is_heard")                                         \
    X(output_ready_ignored, "outputReady answers OK, and a block is taken before it is called",    \
      ANY, "what_is_written_before_output_ready_is_heard")                                         \
    X(output_ready_delays, "outputReady makes the way longer by a buffer, untold", ANY,            \
      "output_ready_latency_is_as_reported")                                                       \
    /* rates */                                                                                    \
    X(rate_nan_accepted, "a rate of NaN is accepted", ANY, "impossible_rates_are_refused")         \
    X(rate_negative_accepted, "a negative rate is accepted", ANY, "impossible_rates_are_refused")  \
    X(rate_infinity_accepted, "an infinite rate is accepted", ANY, "impossible_rates_are_refused") \
    X(rate_huge_accepted, "a rate of ten million is accepted", ANY,                                \
      "impossible_rates_are_refused")                                                              \
    X(rate_zero_crash, "a rate of 0 crashes", ANY, "rate_zero_is_answered")                        \
    X(can_yes_set_no, "canSampleRate says yes to a rate that setSampleRate refuses", ANY,          \
      "accepted_rates_can_be_set_and_read_back")                                                   \
    X(can_no_set_yes, "canSampleRate says no to a rate that setSampleRate takes", ANY,             \
      "refused_rates_change_nothing")                                                              \
    X(can_changes_rate, "canSampleRate changes the rate", ANY,                                     \
      "portaudio_lists_opens_and_restarts")                                                        \
    X(can_refused_while_running, "canSampleRate fails while it runs", ANY,                         \
      "can_sample_rate_is_answered_while_it_runs,cubase_changes_the_rate_between_buffers")         \
    X(can_refused_while_prepared, "canSampleRate fails while there are buffers", ANY,              \
      "can_sample_rate_in_each_state")                                                             \
    X(rate_unknown_while_running, "getSampleRate fails while it runs", ANY,                        \
      "get_sample_rate_in_each_state")                                                             \
    X(same_rate_refused, "setSampleRate refuses the present rate while there are buffers", ANY,    \
      "set_sample_rate_in_each_state")                                                             \
    X(rate_refused_oddly, "a rate is refused with 42", ANY,                                        \
      "a_refused_rate_is_answered_with_noclock")                                                   \
    X(rate_null_crash, "getSampleRate writes through a NULL pointer", ANY,                         \
      "null_pointers_are_answered")                                                                \
    X(rate_read_back_differs, "getSampleRate tells half a hertz more than was set", ANY,           \
      "accepted_rates_can_be_set_and_read_back")                                                   \
    X(rate_zero_told, "getSampleRate tells 0", ANY, "accepted_rates_can_be_set_and_read_back")     \
    X(rate_refused_but_changed, "setSampleRate refuses a rate and takes it", ANY,                  \
      "refused_rates_change_nothing")                                                              \
    X(rate_set_ignored, "setSampleRate answers OK and changes nothing", ANY,                       \
      "accepted_rates_can_be_set_and_read_back,bass_plays_from_a_thread_of_its_own")               \
    X(rate_forgotten, "the next object does not know the rate that was set", ANY,                  \
      "a_rate_survives_the_instance,rew_sets_the_rate_in_another_object")                          \
    X(rate_fixed, "the clock runs at 48 kHz whatever the rate", ANY, "each_rate_is_delivered")     \
    X(wanted_rate_lost, "a rate that was set while it ran is forgotten", ANY,                      \
      "a_rate_set_while_it_runs_is_taken_or_refused")                                              \
    X(wanted_rate_told, "getSampleRate tells a rate that the blocks do not have yet", ANY,         \
      "a_rate_set_while_it_runs_is_told_alike")                                                    \
    X(rate_held_by_another, "canSampleRate accepts a rate that another object holds back", ANY,    \
      "can_and_set_sample_rate_agree_beside_another_object")                                       \
    X(same_rate_announced, "sampleRateDidChange tells the rate that the host runs at", ANY,        \
      "an_unchanged_rate_is_not_announced")                                                        \
    /* clocks */                                                                                   \
    X(clocks_null_crash, "getClockSources reads through a NULL pointer", ANY,                      \
      "null_pointers_are_answered")                                                                \
    X(clocks_need_buffers, "getClockSources fails without buffers", ANY,                           \
      "get_clock_sources_in_each_state")                                                           \
    X(clocks_ignore_room, "getClockSources writes a clock where room for none was offered", ANY,   \
      "clocks_are_listed_with_any_room")                                                           \
    X(clocks_overrun, "getClockSources writes a clock beyond the room offered", ANY,               \
      "clocks_are_listed_with_any_room")                                                           \
    X(clocks_count_zero, "getClockSources counts no clock", ANY,                                   \
      "clocks_are_listed_with_any_room")                                                           \
    X(clock_none_current, "no clock is current", ANY, "clocks_are_listed_with_any_room")           \
    X(clock_name_unterminated, "a clock's name fills all 32 bytes without an end", ANY,            \
      "clocks_are_listed_with_any_room")                                                           \
    X(clock_refused, "setClockSource refuses the current clock", ANY,                              \
      "set_clock_source_in_each_state")                                                            \
    X(clock_any_accepted, "setClockSource takes a clock that does not exist", ANY,                 \
      "only_listed_clocks_can_be_chosen")                                                          \
    /* future */                                                                                   \
    X(future_not_present, "future answers NotPresent before init", ANY,                            \
      "unknown_selectors_are_refused,questions_are_answered_with_success_or_an_error")             \
    X(future_unknown_success, "future answers SUCCESS to what it does not know", ANY,              \
      "unknown_selectors_are_refused")                                                             \
    X(future_unknown_not_present, "future answers NotPresent to what it does not know", ANY,       \
      "unknown_selectors_are_refused")                                                             \
    X(future_answers_ok, "future answers 0 in place of SUCCESS", ANY,                              \
      "questions_are_answered_with_success_or_an_error")                                           \
    X(future_null_crash, "future writes through a NULL parameter", ANY, "future_takes_null")       \
    X(gain_without_doing, "future says that it can set gains, and cannot", ANY,                    \
      "gains_are_as_told")                                                                         \
    X(gain_not_done, "future answers SUCCESS to gains and does nothing", ANY,                      \
      "an_input_gain_is_heard,an_output_gain_is_heard")                                            \
    X(monitor_not_done, "future answers SUCCESS to SetInputMonitor and does nothing", ANY,         \
      "the_monitor_is_heard")                                                                      \
    X(meter_stands, "meters always show the same", ANY,                                            \
      "an_input_meter_follows_the_sound,an_output_meter_follows_the_sound")                        \
    X(monitor_without_doing, "future says that it can monitor, and cannot", ANY,                   \
      "input_monitor_is_as_told")                                                                  \
    X(transport_without_doing, "future says that it has a transport, and has none", ANY,           \
      "transport_is_as_told")                                                                      \
    X(time_code_without_doing, "future says that it can read time code, and cannot", ANY,          \
      "time_code_is_as_told")                                                                      \
    X(meter_without_doing, "future says that it has meters, and has none", ANY,                    \
      "meters_are_as_told")                                                                        \
    X(format_get_invalid, "future tells an invalid io format", ANY, "io_formats_are_consistent")   \
    X(format_any_accepted, "future accepts the invalid io format", ANY,                            \
      "io_formats_are_consistent")                                                                 \
    X(internal_beyond_latency, "the internal buffers are larger than the latency", ANY,            \
      "internal_buffers_lie_within_the_latencies")                                                 \
    /* createBuffers */                                                                            \
    X(create_null_infos_crash, "createBuffers reads through NULL buffer infos", ANY,               \
      "wrong_lists_of_channels_are_refused")                                                       \
    X(create_null_callbacks_crash, "createBuffers reads through NULL callbacks", ANY,              \
      "callbacks_are_needed")                                                                      \
    X(create_negative_count_accepted, "createBuffers takes -1 channels", ANY,                      \
      "wrong_lists_of_channels_are_refused")                                                       \
    X(create_bad_channel_accepted, "createBuffers takes a channel that does not exist", ANY,       \
      "wrong_lists_of_channels_are_refused")                                                       \
    X(create_zero_frames_accepted, "createBuffers takes buffers of 0 frames", ANY,                 \
      "sizes_that_are_not_offered_do_no_harm")                                                     \
    X(create_negative_frames_accepted, "createBuffers takes buffers of negative size", ANY,        \
      "sizes_that_are_not_offered_do_no_harm")                                                     \
    X(create_min_refused, "createBuffers refuses the smallest size", ANY,                          \
      "each_offered_size_is_taken")                                                                \
    X(create_preferred_only, "createBuffers refuses all sizes but the preferred one", ANY,         \
      "each_offered_size_is_taken")                                                                \
    X(create_twice_accepted, "createBuffers replaces the buffers that are in use", ANY,            \
      "create_buffers_in_each_state")                                                              \
    X(create_after_dispose_fails, "an object makes buffers only once", ANY,                        \
      "rtaudio_opens_output_then_both,buffers_are_disposed_once")                                  \
    X(create_outputs_first_refused, "createBuffers refuses outputs before inputs", ANY,            \
      "any_channels_in_any_order")                                                                 \
    X(create_needs_input, "createBuffers refuses outputs alone", ANY,                              \
      "outputs_alone_are_enough,fmod_lists_then_opens_twice")                                      \
    X(create_needs_output, "createBuffers refuses inputs alone", ANY, "inputs_alone_are_enough")   \
    X(create_needs_two, "createBuffers refuses a single channel", ANY, "one_channel_is_enough")    \
    X(create_limited_to_four, "createBuffers refuses more than four channels", ANY,                \
      "obs_opens_all_channels")                                                                    \
    X(creates_limited, "the sixty-first createBuffers of a process fails", ANY,                    \
      "buffers_made_and_disposed_a_hundred_times")                                                 \
    X(create_in_message_fails, "createBuffers fails within a message", ANY,                        \
      "made_anew_within_a_reset_request")                                                          \
    X(create_writes_input_fields, "createBuffers changes the channel numbers of the infos", ANY,   \
      "create_buffers_writes_its_list_only")                                                       \
    X(failed_create_sticks, "after a refused createBuffers every other one is refused", ANY,       \
      "sizes_that_are_not_offered_do_no_harm")                                                     \
    X(infos_overrun, "createBuffers writes beyond the infos", ANY,                                 \
      "create_buffers_writes_its_list_only")                                                       \
    X(buffers_overlap, "the buffers of two channels overlap", ANY,                                 \
      "each_channel_gets_two_halves_of_its_own")                                                   \
    X(buffers_unaligned, "buffers are not aligned to a sample", ANY,                               \
      "each_channel_gets_two_halves_of_its_own")                                                   \
    X(buffers_short, "the last half ends beyond the memory it is in", ANY,                         \
      "halves_can_be_written_whole")                                                               \
    X(halves_same, "both halves of a buffer are the same memory", ANY,                             \
      "each_channel_gets_two_halves_of_its_own")                                                   \
    X(second_half_null, "the second half of each buffer is NULL", ANY,                             \
      "each_channel_gets_two_halves_of_its_own")                                                   \
    X(halves_in_callback_only, "the halves can be touched within callbacks only", ANY,             \
      "fl_studio_writes_after_the_callback")                                                       \
    X(keeps_callbacks, "the host's callbacks struct is used after createBuffers", ANY,             \
      "callbacks_are_copied")                                                                      \
    X(null_message_crash, "a NULL asioMessage is called", ANY, "missing_functions_are_not_called") \
    X(nonsense_believed, "a host whose answers make no sense cannot start", ANY,                   \
      "nonsense_in_answer_to_messages_is_survived")                                                \
    X(time_info_null_called, "a NULL bufferSwitchTimeInfo is called", ANY,                         \
      "a_host_without_the_fourth_callback_is_called_plainly")                                      \
    X(time_info_though_declined, "bufferSwitchTimeInfo is called though the host declined", ANY,   \
      "a_host_that_declines_time_info_gets_none")                                                  \
    X(time_info_never, "bufferSwitch is called though the host wants bufferSwitchTimeInfo", ANY,   \
      "time_info_comes_where_it_is_wanted")                                                        \
    X(create_leaks_memory, "each createBuffers leaks eight kilobytes", ANY, "no_memory_is_left")   \
    X(thread_leaks, "each eighth createBuffers leaks a thread", ANY, "no_threads_are_left")        \
    /* states */                                                                                   \
    X(start_unprepared_accepted, "start answers OK without buffers", ANY, "start_in_each_state")   \
    X(start_leaks_handle, "each eighth start leaks a handle", ANY, "no_handles_are_left")          \
    X(start_in_callback_deadlocks, "start never returns within a callback", ANY,                   \
      "stop_and_start_in_the_callback_return")                                                     \
    X(starts_limited, "the fifty-first start fails", ANY, "started_and_stopped_a_hundred_times")   \
    X(restart_fails, "a second start fails", ANY,                                                  \
      "start_goes_on_after_stop,portaudio_lists_opens_and_restarts")                               \
    X(restart_keeps_position, "the position goes on after stop and start", ANY,                    \
      "the_first_block_begins_at_0")                                                               \
    X(stop_hangs, "stop does not return", ANY, "stop_in_each_state")                               \
    X(stop_slow, "stop takes two and a half seconds", ANY, "stop_returns_quickly")                 \
    X(stop_strange_answer, "stop answers 1", ANY, "stop_in_each_state")                            \
    X(stop_returns_early, "stop returns while a callback runs", ANY,                               \
      "stop_waits_for_a_callback_that_runs")                                                       \
    X(stop_in_callback_deadlocks, "stop never returns within a callback", ANY,                     \
      "stop_in_the_callback_returns")                                                              \
    X(stop_awaits_output_ready,                                                                    \
      "stop waits for an outputReady that a host asked about and did not call", ANY,               \
      "max_stops_after_one_callback")                                                              \
    X(two_stops_deadlock, "stop from two threads at once never returns", ANY,                      \
      "two_threads_stop_at_once")                                                                  \
    X(dispose_idle_accepted, "disposeBuffers answers OK without buffers", ANY,                     \
      "dispose_buffers_in_each_state")                                                             \
    X(dispose_idle_strange, "disposeBuffers answers HWMalfunction without buffers", ANY,           \
      "dispose_buffers_in_each_state,buffers_are_disposed_once")                                   \
    X(dispose_twice_crash, "a second disposeBuffers crashes", ANY, "buffers_are_disposed_once")    \
    X(dispose_refused_while_running, "disposeBuffers fails while it runs", ANY,                    \
      "dispose_stops_what_runs")                                                                   \
    X(dispose_in_callback_deadlocks, "disposeBuffers never returns within a callback", ANY,        \
      "dispose_in_the_callback_returns")                                                           \
    X(dispose_in_callback_frees, "disposeBuffers within a callback takes the memory away at once", \
      ANY, "dispose_in_the_callback_returns")                                                      \
    X(release_in_callback_deadlocks, "Release never returns within a callback", ANY,               \
      "release_in_the_callback_returns")                                                           \
    X(release_in_message_deadlocks, "Release never returns within a message", ANY,                 \
      "released_within_a_reset_request")                                                           \
    X(position_idle_accepted, "getSamplePosition answers OK when nothing runs", ANY,               \
      "get_sample_position_in_each_state")                                                         \
    X(position_idle_invalid_mode, "getSamplePosition answers InvalidMode when nothing runs", ANY,  \
      "get_sample_position_in_each_state")                                                         \
    X(position_null_crash, "getSamplePosition writes through a NULL pointer", ANY,                 \
      "null_pointers_are_answered")                                                                \
    X(output_ready_hangs, "outputReady does not return while it runs", ANY,                        \
      "output_ready_in_each_state")                                                                \
    X(output_ready_strange_answer, "outputReady answers 1", ANY, "output_ready_in_each_state")     \
    X(output_ready_invalid_mode, "outputReady answers InvalidMode", ANY,                           \
      "output_ready_in_each_state")                                                                \
    X(output_ready_wavers, "outputReady answers OK, and NotPresent while it runs", ANY,            \
      "output_ready_is_answered_the_same_each_time")                                               \
    X(readies_cost, "callbacks cease when outputReady is called outside of them", ANY,             \
      "output_ready_may_come_at_any_time")                                                         \
    X(probe_awaits_output_ready, "callbacks wait for an outputReady that a host only asked about", \
      ANY, "vb_bridge_asks_output_ready_and_never_calls_it")                                       \
    /* callbacks */                                                                                \
    X(calls_before_start, "a callback comes before start", ANY, "juce_opens_probes_and_plays")     \
    X(calls_after_stop, "callbacks go on after stop", ANY, "no_callback_comes_after_stop")         \
    X(calls_stop, "callbacks stop after sixty blocks", ANY, "the_rate_is_really_delivered")        \
    X(calls_twice, "each eighth block is called twice", ANY, "halves_alternate")                   \
    X(calls_overlap, "a callback begins before the last one has returned", ANY,                    \
      "callbacks_do_not_overlap")                                                                  \
    X(two_threads, "callbacks come from two threads", ANY, "one_thread_calls")                     \
    X(first_call_late, "the first callback comes four seconds after start", ANY,                   \
      "the_first_callback_comes_within_3_s")                                                       \
    X(jitter, "each third callback comes one and a half periods late", ANY,                        \
      "callbacks_come_evenly")                                                                     \
    X(stalls, "each 32nd callback comes 120 ms late", ANY, "callbacks_come_evenly")                \
    X(high_rates_slow, "the card runs slow above 192 kHz", ANY, "each_rate_is_delivered")          \
    X(rate_off, "the card runs three per cent slow", ANY, "the_rate_is_really_delivered")          \
    X(direct_garbage, "directProcess is 77", ANY, "direct_process_is_0_or_1")                      \
    X(halves_not_zeroed, "the halves hold noise at start", ANY,                                    \
      "output_halves_are_silent_at_first")                                                         \
    X(half_before_start_lost, "start wipes the half that the host filled before it", ANY,          \
      "half_1_filled_before_start_is_heard_before_the_first_block")                                \
    X(half_before_start_late, "the half that was filled before start is heard nine blocks late",   \
      ANY, "half_1_filled_before_start_is_heard_before_the_first_block")                           \
    X(halves_kept_after_stop, "the halves stay as they are after stop", ANY,                       \
      "what_a_stop_left_is_not_heard_at_the_next_start")                                           \
    X(index_sticks, "the index is always 0", ANY, "halves_alternate")                              \
    X(takes_wrong_half, "the output is taken from the other half", ANY,                            \
      "garbage_in_the_other_half_is_not_heard")                                                    \
    X(position_first_not_zero, "the first position is not 0", ANY, "the_first_block_begins_at_0")  \
    X(position_not_aligned, "positions are not a multiple of the buffer", ANY,                     \
      "positions_advance_by_whole_blocks")                                                         \
    X(position_jumps_back, "the position jumps back once", ANY,                                    \
      "positions_advance_by_whole_blocks")                                                         \
    X(position_stands, "the position stands still after eight blocks", ANY,                        \
      "positions_advance_by_whole_blocks")                                                         \
    X(position_tires, "the position jumps back after a second and a half", ANY,                    \
      "a_long_run_stays_whole")                                                                    \
    X(position_drifts, "the position grows one per cent faster than the time", ANY,                \
      "position_and_time_give_the_rate")                                                           \
    X(position_asked_differs, "getSamplePosition and the time info differ", ANY,                   \
      "get_sample_position_agrees_with_the_callback")                                              \
    X(position_asked_time_off,                                                                     \
      "the time of getSamplePosition is 20 ms ahead of that of the time info", ANY,                \
      "get_sample_position_agrees_with_the_callback")                                              \
    X(position_asked_steps_back, "each second getSamplePosition tells the block before the last",  \
      ANY, "get_sample_position_agrees_with_the_callback")                                         \
    X(halves_swapped, "64-bit numbers have their low half first", ANY,                             \
      "positions_advance_by_whole_blocks")                                                         \
    X(time_in_ms, "the time is in milliseconds", ANY, "time_stamps_run_with_the_clock")            \
    X(time_steps_back, "the time steps back once", ANY, "time_stamps_increase")                    \
    X(time_other_scale, "the time is an hour ahead of timeGetTime", ANY,                           \
      "time_stamps_are_on_the_scale_of_timegettime")                                               \
    X(time_uneven, "the time jumps about by up to twelve milliseconds", ANY,                       \
      "time_stamps_increase")                                                                      \
    X(time_zero, "the time is always 0", ANY, "time_stamps_increase")                              \
    X(time_beyond_148, "bytes beyond the 148 of the time are written", ANY,                        \
      "a_time_of_148_bytes_is_enough")                                                             \
    X(info_flags_missing, "the time info says that nothing in it is valid", ANY,                   \
      "time_info_is_whole")                                                                        \
    X(info_rate_wrong, "the time info tells another rate", ANY, "time_info_is_whole")              \
    X(info_null, "bufferSwitchTimeInfo gets NULL", ANY, "time_info_is_whole")                      \
    X(info_answer_needed, "the answer of bufferSwitchTimeInfo is read without a look at it", ANY,  \
      "time_info_comes_where_it_is_wanted")                                                        \
    X(small_buffers_lose, "each second block is lost with small buffers", ANY,                     \
      "the_smallest_buffer_streams")                                                               \
    X(small_buffers_slow, "the card runs slow with small buffers", ANY,                            \
      "each_buffer_size_is_delivered")                                                             \
    X(large_buffers_lose, "each second block is lost with the largest buffer", ANY,                \
      "the_largest_buffer_streams")                                                                \
    X(many_channels_lose, "each second block is lost with more than four channels", ANY,           \
      "all_channels_stream")                                                                       \
    X(small_with_many_lose, "each second block is lost with small buffers and many channels", ANY, \
      "all_channels_stream_with_the_smallest_buffer,a_long_run_at_the_limits_stays_whole")         \
    X(busy_host_loses, "a host that takes 40 % of a period loses the next block", ANY,             \
      "a_host_that_computes_half_the_time_keeps_up")                                               \
    /* sound */                                                                                    \
    X(cable_adds_noise, "there is noise on the inputs", ANY, "sound_comes_back_whole")             \
    X(cable_repeats, "the last quarter of each input block repeats the one before", ANY,           \
      "sound_comes_back_whole")                                                                    \
    X(cable_loses_a_block, "one block of the output is lost, and nothing tells it", ANY,           \
      "sound_comes_back_whole")                                                                    \
    X(silent_inputs_left, "inputs that are silent are not written", ANY,                           \
      "inputs_may_be_written_by_the_host")                                                         \
    /* the host misbehaves, or must be told */                                                     \
    X(tells_unasked, "a message comes that the host does not know", ANY,                           \
      "a_host_that_knows_no_messages_gets_none")                                                   \
    X(reset_for_nothing, "a reset is asked for without a cause", ANY,                              \
      "no_reset_is_asked_for_without_a_cause")                                                     \
    X(reset_never_asked, "a new rate that needs new buffers is taken without a reset request",     \
      ANY, "a_new_rate_is_applied_or_a_reset_is_asked_for")                                        \
    X(reset_in_callback_thread, "the reset request comes on the thread of the callbacks", ANY,     \
      "a_reset_request_comes_from_another_thread")                                                 \
    X(stops_after_reset, "callbacks stop after a reset request", ANY,                              \
      "a_reset_request_may_be_ignored")                                                            \
    X(overload_untold, "a lost block is not reported", ANY,                                        \
      "an_overload_is_told_by_a_driver_that_can")                                                  \
    X(jump_untold, "the position jumps by itself, and nothing is reported", ANY,                   \
      "each_jump_of_the_position_is_told")                                                         \
    X(never_skips, "a late host gets all lost blocks at once", ANY,                                \
      "lost_blocks_are_not_made_up_for")                                                           \
    X(skips_untold, "blocks are lost and the position does not tell", ANY,                         \
      "lost_blocks_show_in_position_and_time")                                                     \
    X(late_crash, "a callback 10 ms late crashes the driver", ANY, "late_callbacks_are_survived")  \
    X(late_ends, "a callback 20 ms late ends the stream", ANY,                                     \
      "a_late_callback_does_not_end_the_stream,pro_tools_is_slow_in_its_first_callback")

/* Defects of the entry in the registry: X(name, the name in the registry under which it shows) */
#define ENTRIES_TABLE(X)                                                                           \
    X(registered_name_long, "Broken by Design, with a name of more than 31 letters")               \
    X(registered_name_not_ascii, "Broken by Désign")

enum defect {
    DEFECT_none,
#define DEFECT_ID(name, wrong, processor, caught_by) DEFECT_##name,
    DEFECTS_TABLE(DEFECT_ID)
#undef DEFECT_ID
};

#endif
