/* SPDX-License-Identifier: MIT */
/* What each subcommand takes and how its help reads. Apart from the functions, so that a test reads
 * the tables without an engine. */
#include "cli/commands.h"
#include "conform/options.h"

#define OPTION_PROGRESS                                                                            \
    {                                                                                              \
        "progress", NULL, "show progress even when not on a terminal"                              \
    }
#define OPTION_PROFILE                                                                             \
    {                                                                                              \
        "profile", "NAME", "a profile of the configuration: its device and buffer"                 \
    }
#define OPTION_JSON                                                                                \
    {                                                                                              \
        "json", NULL, "print JSON"                                                                 \
    }

const struct args_command command_status = {
    .name = "status",
    .summary = "Shows the engine, its devices and the programs that play.",
    .details = "Never starts an engine. LATE counts blocks that came late, by cause: the\n"
               "program, the device, the machine as a whole. Meters show the peaks since the\n"
               "last look.\n",
    .options = {{"watch", NULL, "keep looking until Ctrl-C"},
                {"interval", "SECONDS", "between two looks (0.05 to 3600; default 0.25)"},
                OPTION_JSON},
};

const struct args_command command_devices = {
    .name = "devices",
    .summary = "Lists the sound devices that the engine can use; opens none.",
    .options = {OPTION_JSON},
};

const struct args_command command_play = {
    .name = "play",
    .operand = "FILE",
    .summary = "Plays a sound file (WAV, FLAC, Ogg, AIFF, ...) to its end.",
    .details = "A mono file plays on all channels named. The file and the device must have the\n"
               "same sample rate; --set-rate asks the device to run at the file's.\n",
    .options = {{"channels", "LIST", "device outputs, counted from 1 (default 1,2,...)"},
                {"buffer", "FRAMES", "frames per block (1 to 8192; default 1024)"},
                {"seconds", "S", "play only so much of it"},
                {"set-rate", NULL, "let the device run at the file's sample rate"},
                OPTION_PROFILE,
                OPTION_PROGRESS},
};

const struct args_command command_record = {
    .name = "record",
    .operand = "FILE",
    .summary = "Records into FILE (.wav or .flac).",
    .details = "Without --seconds it records until Ctrl-C.\n"
               "Frames that are lost on the way become silence, so that the recording keeps its\n"
               "length; they are counted at the end.\n",
    .options = {{"source", "SOURCE", "device (default), mix (what all play) or a program's ID"},
                {"channels", "LIST", "channels of the source, counted from 1 (default 1,2)"},
                {"seconds", "S", "end after so much"},
                {"format", "FORMAT", "float32 (default for .wav) or int24 (for .flac)"},
                {"replace", NULL, "replace FILE when it exists"},
                {"buffer", "FRAMES", "frames per block (1 to 8192; default 1024)"},
                OPTION_PROFILE,
                OPTION_PROGRESS},
};

const struct args_command command_latency = {
    .name = "latency",
    .summary = "Measures the round trip from an output to an input.",
    .details = "Plays a second of noise (a maximum length sequence), finds it in the input and\n"
               "compares the way it took with the latency that is reported.\n",
    .options = {{"output", "CH", "output channel, counted from 1 (default 1)"},
                {"input", "CH", "input channel, counted from 1 (default 1)"},
                {"buffer", "FRAMES", "frames per block (1 to 8192; default 256)"},
                {"level", "DB", "level of the noise (-60 to 0; default -12)"},
                OPTION_JSON,
                OPTION_PROFILE,
                OPTION_PROGRESS},
};

const struct args_command command_stop_engine = {
    .name = "stop-engine",
    .summary = "Asks the engine to end. Programs that still play start another.",
};

const struct args_command command_profile = {
    .name = "profile",
    .operand = "ACTION",
    .more = "NAME",
    .summary = "Lists profiles; makes and removes driver entries (Windows).",
    .details = "ACTION is list, add NAME or remove NAME. A profile is a section [profile NAME]\n"
               "of the configuration; its driver entry is called \"Tutti NAME\". Entries are for\n"
               "everybody on the machine, and changing them needs an administrator. On Linux\n"
               "'tutti wine install' makes the entries of all profiles.\n",
    .options = {{"user", NULL, "for this user alone; hosts do not list such an entry"}},
};

const struct args_command command_log = {
    .name = "log",
    .operand = "ACTION",
    .more = "LEVEL",
    .summary = "Shows or sets how much is written into the log.",
    .details = "ACTION is level, LEVEL error, warning, info or debug. The level is written into\n"
               "the configuration; the engine and the driver follow it while they run.\n",
};

const struct args_command command_wine = {
    .name = "wine",
    .operand = "ACTION",
    .summary = "Puts the Windows driver into Wine's prefixes (Linux only).",
    .details = "ACTION is install, uninstall or status. Without --prefix it works on every\n"
               "prefix that is found: Wine's own, Steam's (Proton), Bottles' and Lutris'. One\n"
               "that is in use, damaged, or that its Wine would rebuild, is named and left as\n"
               "it is.\n",
    .options = {{"prefix", "DIR", "work on this one alone"},
                {"wine", "FILE", "the wine that runs it, with --prefix"},
                {"dlls", "DIR", "where the driver lies, instead of the installed one"},
                {"copy", NULL, "copy the driver into the prefix even when not needed"},
                OPTION_JSON},
};

const struct args_command command_doctor = {
    .name = "doctor",
    .summary = "Checks this machine and says what to do (Linux only).",
    .details = "One line each: ok, warn (it works, but not at its best) or fail. Ends with 1\n"
               "when something failed. Changes nothing and starts no engine.\n",
    .options = {{"root", "DIR", "look at the system below this folder instead of /"}, OPTION_JSON},
};

const struct args_command command_conform = {
    .name = "conform",
    .operand = "[DRIVER]",
    .summary = "Judges any ASIO driver, case by case (on Linux: under Wine).",
    .details = CONFORM_DETAILS,
    .options = CONFORM_OPTIONS,
};
