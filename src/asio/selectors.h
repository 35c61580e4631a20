/* SPDX-License-Identifier: MIT */
/*
 * What future() answers and what a host is notified of, as two tables: pure data, no Windows. The
 * driver's tests ask for each row, and docs/asio.md holds them as they stand here.
 */
#ifndef TUTTI_ASIO_SELECTORS_H
#define TUTTI_ASIO_SELECTORS_H

#include <stdint.h>

#include "tutti/asio.h"

/* X(selector, as hosts know it, answer while Loaded, answer later to a good parameter, why) */
#define FUTURE_TABLE(X)                                                                            \
    X(ENABLE_TIME_CODE_READ, "EnableTimeCodeRead", ASIO_INVALID_PARAMETER, ASIO_INVALID_PARAMETER, \
      "no device of Tutti's brings time code")                                                     \
    X(DISABLE_TIME_CODE_READ, "DisableTimeCodeRead", ASIO_INVALID_PARAMETER,                       \
      ASIO_INVALID_PARAMETER, "likewise")                                                          \
    X(SET_INPUT_MONITOR, "SetInputMonitor", ASIO_INVALID_PARAMETER, ASIO_SUCCESS,                  \
      "a path of the engine's direct monitor, see below")                                          \
    X(TRANSPORT, "Transport", ASIO_INVALID_PARAMETER, ASIO_INVALID_PARAMETER,                      \
      "there is no tape machine to control")                                                       \
    X(SET_INPUT_GAIN, "SetInputGain", ASIO_INVALID_PARAMETER, ASIO_SUCCESS,                        \
      "of what this program hears and monitors of an input; other programs hear it as before")     \
    X(GET_INPUT_METER, "GetInputMeter", ASIO_INVALID_PARAMETER, ASIO_SUCCESS,                      \
      "peak since last asked, 0x7fffffff is full scale; the first question starts the measuring")  \
    X(SET_OUTPUT_GAIN, "SetOutputGain", ASIO_INVALID_PARAMETER, ASIO_SUCCESS,                      \
      "of what this program plays and monitors there; other programs are heard as before")         \
    X(GET_OUTPUT_METER, "GetOutputMeter", ASIO_INVALID_PARAMETER, ASIO_SUCCESS,                    \
      "peak of what this program plays and monitors there")                                        \
    X(CAN_INPUT_MONITOR, "CanInputMonitor", ASIO_SUCCESS, ASIO_SUCCESS, "")                        \
    X(CAN_TIME_INFO, "CanTimeInfo", ASIO_SUCCESS, ASIO_SUCCESS,                                    \
      "used when the host has bufferSwitchTimeInfo, knows SupportsTimeInfo and agrees to it")      \
    X(CAN_TIME_CODE, "CanTimeCode", ASIO_INVALID_PARAMETER, ASIO_INVALID_PARAMETER,                \
      "see EnableTimeCodeRead; a Time's time code is all zero")                                    \
    X(CAN_TRANSPORT, "CanTransport", ASIO_INVALID_PARAMETER, ASIO_INVALID_PARAMETER,               \
      "see Transport")                                                                             \
    X(CAN_INPUT_GAIN, "CanInputGain", ASIO_SUCCESS, ASIO_SUCCESS, "")                              \
    X(CAN_INPUT_METER, "CanInputMeter", ASIO_SUCCESS, ASIO_SUCCESS, "")                            \
    X(CAN_OUTPUT_GAIN, "CanOutputGain", ASIO_SUCCESS, ASIO_SUCCESS, "")                            \
    X(CAN_OUTPUT_METER, "CanOutputMeter", ASIO_SUCCESS, ASIO_SUCCESS, "")                          \
    X(SET_IO_FORMAT, "SetIoFormat", ASIO_SUCCESS, ASIO_SUCCESS,                                    \
      "PCM; DSD once initialised, where `[program] dsd` is set")                                   \
    X(GET_IO_FORMAT, "GetIoFormat", ASIO_SUCCESS, ASIO_SUCCESS, "PCM or DSD")                      \
    X(CAN_DO_IO_FORMAT, "CanDoIoFormat", ASIO_SUCCESS, ASIO_SUCCESS, "as SetIoFormat")             \
    X(CAN_REPORT_OVERLOAD, "CanReportOverload", ASIO_SUCCESS, ASIO_SUCCESS,                        \
      "blocks that came late and frames that the device lost are reported by Overload")            \
    X(GET_INTERNAL_BUFFER_SAMPLES, "GetInternalBufferSamples", ASIO_SUCCESS, ASIO_SUCCESS,         \
      "what getLatencies says beyond the host's own buffer; 0 while Loaded")

/* X(selector, as hosts know it, when the host is notified or asked) */
#define MESSAGE_TABLE(X)                                                                           \
    X(SELECTOR_SUPPORTED, "SelectorSupported",                                                     \
      "in createBuffers, of each one below that is ever sent; a message that the host does not "   \
      "know is not sent")                                                                          \
    X(ENGINE_VERSION, "EngineVersion", "never: nothing depends on it")                             \
    X(RESET_REQUEST, "ResetRequest",                                                               \
      "another program or the system changed the rate; another engine took over; the device has "  \
      "other channels now; the host does not take BufferSizeChange, or LatenciesChanged")          \
    X(BUFFER_SIZE_CHANGE, "BufferSizeChange",                                                      \
      "the host's buffer size is not offered any more; value: the preferred one")                  \
    X(RESYNC_REQUEST, "ResyncRequest",                                                             \
      "the device was opened again: frames were lost; or it lost frames, and the host does not "   \
      "take Overload")                                                                             \
    X(LATENCIES_CHANGED, "LatenciesChanged", "getLatencies answers something else")                \
    X(SUPPORTS_TIME_INFO, "SupportsTimeInfo", "in createBuffers, by hosts that know it")           \
    X(SUPPORTS_TIME_CODE, "SupportsTimeCode", "never: there is no time code")                      \
    X(MMC_COMMAND, "MMCCommand", "never: there is no transport")                                   \
    X(SUPPORTS_INPUT_MONITOR, "SupportsInputMonitor", "never: the host asks when it wants to")     \
    X(SUPPORTS_INPUT_GAIN, "SupportsInputGain", "likewise")                                        \
    X(SUPPORTS_INPUT_METER, "SupportsInputMeter", "likewise")                                      \
    X(SUPPORTS_OUTPUT_GAIN, "SupportsOutputGain", "likewise")                                      \
    X(SUPPORTS_OUTPUT_METER, "SupportsOutputMeter", "likewise")                                    \
    X(OVERLOAD, "Overload",                                                                        \
      "blocks of this program came late and were left out, or the device lost frames")

#endif
