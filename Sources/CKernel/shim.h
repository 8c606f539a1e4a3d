// Kernel calls that Swift's module of the C library leaves out, or that Linux and macOS do in two ways. Header only; each
// wrapper is the bare call.
#pragma once

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>

#if __SIZEOF_LONG__ != 8
#error "Headroom needs a 64-bit system: its slots' file and locks are laid out for one."
#endif

#if defined(__linux__)
#include "linux.h"
#elif defined(__APPLE__)
#include "darwin.h"
#else
#error "Headroom is written for Linux, and builds on macOS: other systems need locks of open files (F_OFD_SETLK) at the least."
#endif

// Takes the lock unless another open file has it: 0, or -1. A lock is on one byte of an open file, and belongs to the open
// file, not to the process: the kernel drops it when the file's last descriptor is closed, also by kill -9.
static inline int kernel_try_lock_byte(int descriptor, int64_t byte) {
    kernel_flock lock;
    return kernel_lock_byte(descriptor, kernel_setlk, &lock, kernel_wrlck, byte);
}

// Takes the lock, and sleeps until it can.
static inline int kernel_wait_lock_byte(int descriptor, int64_t byte) {
    kernel_flock lock;
    return kernel_lock_byte(descriptor, kernel_setlkw, &lock, kernel_wrlck, byte);
}

static inline int kernel_unlock_byte(int descriptor, int64_t byte) {
    kernel_flock lock;
    return kernel_lock_byte(descriptor, kernel_setlk, &lock, kernel_unlck, byte);
}

// Whether another open file has the lock: 1 or 0.
static inline int kernel_is_byte_locked(int descriptor, int64_t byte) {
    kernel_flock lock;
    return kernel_lock_byte(descriptor, kernel_getlk, &lock, kernel_wrlck, byte) == 0 && lock.l_type != kernel_unlck;
}

// Why the file cannot be locked at all: 0 where it can, or an error number. ENOLCK is what network file systems say without their
// lock service.
static inline int kernel_lock_obstacle(int descriptor) {
    kernel_flock lock;
    return kernel_lock_byte(descriptor, kernel_getlk, &lock, kernel_wrlck, 0) == 0 ? 0 : errno;
}

// Starts a thread of its own, which nobody waits for: 0, or an error number. (`pthread_t` is a number on Linux and a pointer
// on macOS, and Swift sees two signatures.)
static inline int kernel_start_thread(void *(*body)(void *), void *argument, size_t stack) {
    pthread_attr_t attributes;
    pthread_t thread;
    int result = pthread_attr_init(&attributes);
    if (result != 0) return result;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, stack);
    result = pthread_create(&thread, &attributes, body, argument);
    pthread_attr_destroy(&attributes);
    return result;
}

static inline void *kernel_pass_gate(void *gate) {
    pthread_mutex_lock((pthread_mutex_t *)gate);
    pthread_mutex_unlock((pthread_mutex_t *)gate);
    return (void *)0;
}

// How many of so many threads, at most 256, the process can have at once beside those that it has; they have ended when this
// returns.
static inline int kernel_try_threads(int count) {
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_t threads[256];
    int started = 0;
    pthread_mutex_lock(&gate);
    while (started < count && started < 256) {
        if (pthread_create(&threads[started], (void *)0, kernel_pass_gate, &gate) != 0) break;
        started++;
    }
    pthread_mutex_unlock(&gate);
    for (int index = 0; index < started; index++) pthread_join(threads[index], (void **)0);
    return started;
}

// The process's own variables, each "NAME=value", and a null at the end. (Swift 6 sees in `environ` a variable that is not safe.)
static inline char *const *kernel_environment(void) {
    extern char **environ;
    return environ;
}

// What tells the calling thread from every other that runs; never 0.
static inline uintptr_t kernel_this_thread(void) { return (uintptr_t)pthread_self(); }

// The time on a clock, in nanoseconds. (On macOS Swift sees the clocks' numbers under other names.)
static inline int64_t kernel_time(clockid_t clock) {
    struct timespec time = {0, 0};
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

// Since 1970.
static inline int64_t kernel_time_of_day(void) { return kernel_time(CLOCK_REALTIME); }

// Since some moment that is the same for all processes of the machine.
static inline int64_t kernel_monotonic_time(void) { return kernel_time(CLOCK_MONOTONIC); }

// Since about when the machine was started; goes on while it sleeps.
static inline int64_t kernel_uptime(void) { return kernel_time(KERNEL_SLEEPLESS_CLOCK); }

// The number of stream sockets, which is an enumeration's on Linux and a plain one on macOS.
static inline int kernel_stream_type(void) { return SOCK_STREAM; }

// Bounds how long a read (SO_RCVTIMEO) or a write (SO_SNDTIMEO) of a socket waits. Here, as Swift's module of the C library does
// not always say which module `timeval` is in.
static inline int kernel_limit_wait(int descriptor, int option, long seconds, long microseconds) {
    struct timeval limit = {.tv_sec = seconds, .tv_usec = (suseconds_t)microseconds};
    return setsockopt(descriptor, SOL_SOCKET, option, &limit, sizeof limit);
}
// Has standard output go out line by line, also into a pipe.
static inline void kernel_flush_lines(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
}


extern char **environ;

// Starts a program that is looked up in PATH, with this one's environment, no signal blocked and SIGPIPE not ignored. Of our
// descriptors it gets the first three, and those that are named, under their own numbers. With a session of its own neither the
// terminal's signals nor its end reach it: 0, or an error number.
static inline int kernel_spawn(
    pid_t *process, char *const arguments[], const int *kept, int count, int has_own_session) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, broken;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) return error;
    error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        sigemptyset(&none);
        sigemptyset(&broken);
        sigaddset(&broken, SIGPIPE);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &broken);
        posix_spawnattr_setflags(
            &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (has_own_session ? kernel_own_session : 0));
        // Onto itself: that takes its close-on-exec away, in the child alone.
        for (int i = 0; i < count && error == 0; i++)
            error = posix_spawn_file_actions_adddup2(&actions, kept[i], kept[i]);
        if (error == 0) error = posix_spawnp(process, arguments[0], &actions, &attributes, arguments, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}
