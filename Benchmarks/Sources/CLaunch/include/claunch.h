#pragma once

// What a run of a program came to.
struct claunch_run {
    int status;              // its exit code, or -1 when it did not come so far
    long long nanoseconds;   // from the start to its end
    long peak_kilobytes;     // the most it had resident, VmHWM
    long resident_kilobytes; // what it had resident when it was looked at, VmRSS
    long own_kilobytes;      // of that, what is its own: RssAnon
};

// Runs a program, its output thrown away, and waits for its end. Only the time is measured: nothing else looks at it.
struct claunch_run claunch_time(char *const argv[], char *const env[]);

// The same under the eyes of ptrace, which stops it at its end, when its memory is still there to be read.
struct claunch_run claunch_memory(char *const argv[], char *const env[]);

// The memory of a program that runs.
struct claunch_run claunch_look(int process);

// Opens `count` connections over the socket, waits until they have been silent for longer than a second, and runs the
// program. Returns the nanoseconds from its start until the server hangs up on the first of them, or -1 when it never does.
long long claunch_first_kill(const char *socket, const char *user, const char *password, int count, char *const argv[],
                             char *const env[]);
